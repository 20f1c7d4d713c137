import { PluginError } from '@octo/plugin-api';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Interrupted } from '../../src/cli/environment.ts';
import { emptyReport } from '../../src/cli/run-result.ts';
import type { runPipeline } from '../../src/pipeline/run-pipeline.ts';
import { lockHost } from '../../src/state/host-lock.ts';
import { goodManifest, site, withRuns } from './site.ts';
import { octoHost, type TestEnvironment } from './test-environment.ts';

type Run = typeof runPipeline;

/** A host that was started and has begun its first run; the test stops it at the latest. */
async function started(run: Run, ...options: string[]) {
  const { environment, folder } = await site(goodManifest);
  const stop = new AbortController();
  const begun = Promise.withResolvers<void>();
  const first: Run = (...args) => {
    begun.resolve();
    return run(...args);
  };
  const ended = octoHost(
    ['start', '--log', 'text', ...options],
    withRun(environment, first, stop.signal),
  );
  onTestFinished(async () => {
    stop.abort(new Interrupted('SIGTERM'));
    await ended;
  });
  await begun.promise;
  const write = (manifest: string) => writeFile(join(folder, 'plugins.json'), manifest);
  return { ...environment, ended, stop, write, folder };
}

/** Resolves when the text was written. */
function written({ stderr }: Pick<TestEnvironment, 'stderr'>, text: string): Promise<void> {
  if (stderr.text.includes(text)) return Promise.resolve();
  const write = stderr.write.bind(stderr);
  return new Promise((resolve) => {
    stderr.write = (more) => {
      write(more);
      if (stderr.text.includes(text)) resolve();
    };
  });
}

function withRun(environment: TestEnvironment, run: Run, signal: AbortSignal) {
  return { ...environment, signal, rooms: withRuns(environment.rooms, run) };
}

test('every pipeline runs on its schedule until SIGTERM, and the end is clean', async () => {
  const runs: string[] = [];
  const { clock, ended, stop } = await started(async ({ config }) => {
    runs.push(config.id);
    return emptyReport(config.id);
  });
  await clock.advance(10 * 60_000);
  expect(runs).toEqual(['trades', 'trades', 'trades']);
  stop.abort(new Interrupted('SIGTERM'));
  const { code, stderr } = await ended;
  expect(code).toBe(0);
  expect(stderr.lines).toEqual([
    '03:45:00 info  pipeline scheduled (schedule every 5 min, pipeline trades)',
    '03:45:00 trades nothing new, in 0.0 s',
    '03:55:00 info  stopping: no new runs; running ones may take 20 s to finish',
    '03:55:00 info  stopped',
  ]);
});

test('a run that fails is said and tried again; in the end the next one tries', async () => {
  let runs = 0;
  const { clock, ended, stop } = await started(async () => {
    runs++;
    throw new PluginError('network', 'no route to sftp.test:22');
  });
  await clock.advance(4 * 60_000);
  expect(runs).toBe(4);
  await clock.advance(60_000);
  expect(runs).toBe(5);
  stop.abort(new Interrupted('SIGTERM'));
  const { stderr } = await ended;
  expect(stderr.text).toContain(
    'the run failed and is tried again: no route to sftp.test:22 (seconds 4, pipeline trades, run ',
  );
  expect(stderr.text).toContain(
    'the run failed; the next one tries again: no route to sftp.test:22 (pipeline trades, run ',
  );
});

test('a vendor that is down is left alone: its runs wait, and one tries when the time is over', async () => {
  let runs = 0;
  let isDown = true;
  const { clock, stderr } = await started(async ({ config }) => {
    runs++;
    if (isDown) throw new PluginError('network', 'no route to sftp.test:22');
    return emptyReport(config.id);
  });
  await clock.advance(5 * 60_000);
  expect(runs).toBe(5);
  expect(stderr.text).toContain('a plugin could not be reached and is left alone');
  await clock.advance(40_000);
  expect(runs).toBe(5);
  expect(stderr.text).toContain("plugin 'acme' is left alone until");
  isDown = false;
  await clock.advance(60_000);
  expect(runs).toBe(6);
  expect(stderr.text).toContain('one run tries it');
});

test('times that came while no host ran are made up for by one run', async () => {
  const { environment, runs } = await site(
    goodManifest.replace('"every": "5m"', '"schedule": "45 3 * * *"'),
  );
  const last = environment.clock.now() - 3 * 86_400_000;
  runs.schedules.set('trades', { text: '45 3 * * * (UTC)', anchor: last, last });
  await environment.clock.advance(3_600_000);
  const stop = new AbortController();
  const run: Run = async ({ config }) => {
    stop.abort(new Interrupted('SIGTERM'));
    return emptyReport(config.id);
  };
  await octoHost(['start'], withRun(environment, run, stop.signal));
  expect(runs.entries.map(({ record }) => [record.request.trigger, record.state])).toEqual([
    ['catch-up', 'SUCCEEDED'],
  ]);
});

test('what was asked for by hand is run as it was asked for', async () => {
  const { environment, runs } = await site(goodManifest);
  await octoHost(
    ['runs', 'request', 'trades', '--path', 'x*', '--since', '2026-01-15'],
    environment,
  );
  const stop = new AbortController();
  const narrowed: unknown[] = [];
  const run: Run = async ({ config }, { only }) => {
    narrowed.push(only);
    if (narrowed.length === 2) stop.abort(new Interrupted('SIGTERM'));
    return emptyReport(config.id);
  };
  await octoHost(['start'], withRun(environment, run, stop.signal));
  expect(narrowed).toEqual([{ path: 'x*', since: Date.UTC(2026, 0, 15) }, {}]);
  expect(runs.entries.map(({ record }) => record.state)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
});

test('a second start on the same state refuses and names the first', async () => {
  const { environment, folder } = await site(goodManifest);
  await using _first = await lockHost(join(folder, '.octo'));
  const { code, stderr } = await octoHost(['start'], environment);
  expect(code).toBe(2);
  expect(stderr.lines).toHaveLength(1);
  expect(stderr.text).toContain(`process ${process.pid}`);
});

test('a manifest without any schedule is nothing to start', async () => {
  const { environment } = await site(goodManifest.replace(', "every": "5m"', ''));
  const { code, stderr } = await octoHost(['start'], environment);
  expect(code).toBe(2);
  expect(stderr.text).toContain('has "schedule" or "every": nothing to start');
});

test('logs for programs are one JSON object a line', async () => {
  const { environment } = await site(goodManifest);
  const stop = new AbortController();
  const run: Run = async ({ config }, { onEvent }) => {
    onEvent?.({ event: 'quarantined', path: 'a.csv', reason: 'TAMPERED: hunter2hunter2' });
    stop.abort(new Interrupted('SIGTERM'));
    return emptyReport(config.id);
  };
  const argv = ['start', '--log', 'json'];
  const { stderr } = await octoHost(argv, withRun(environment, run, stop.signal));
  const entries = stderr.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries).toContainEqual(
    expect.objectContaining({
      level: 'error',
      message: 'file quarantined',
      pipeline: 'trades',
      reason: 'TAMPERED: [secret]',
    }),
  );
});

const twoPipelines = goodManifest
  .replace('sftp.test', 'other.test')
  .replace(
    '"every": "5m" }',
    '"every": "5m" }, "cash": { "from": "acme", "to": "lake", "key": "{name}", "every": "2m" }',
  );

test('a changed manifest is taken while the host runs; what keeps its schedule keeps its time', async () => {
  const runs: string[] = [];
  const host = await started(async ({ config }) => {
    runs.push(config.id);
    return emptyReport(config.id);
  });
  // The schedule and the watch.
  await host.clock.untilSleeping(2);
  await host.clock.advance(60_000);
  await host.clock.untilSleeping(2);
  await host.write(twoPipelines);
  const applied = written(host, 'manifest applied');
  await host.clock.advance(10_000);
  await applied;
  await host.clock.advance(0);
  expect(runs).toEqual(['trades', 'cash']);
  await host.clock.advance(230_000);
  expect(runs).toEqual(['trades', 'cash', 'cash', 'trades']);
  expect(host.stderr.text).toContain(
    'manifest applied: plugin acme changed (config/host), pipeline trades changed (its plugin acme), pipeline cash new; kept 1 plugin, 0 pipelines',
  );
  await host.write(goodManifest);
  const again = written(host, 'pipeline cash gone');
  await host.clock.advance(10_000);
  await again;
  runs.length = 0;
  await host.clock.advance(600_000);
  expect(runs).toEqual(['trades', 'trades']);
});

test('a refused manifest is one line that says where and why, and everything goes on', async () => {
  let runs = 0;
  const host = await started(async ({ config }) => {
    runs++;
    return emptyReport(config.id);
  });
  await host.write(goodManifest.replace('"host"', '"hots"'));
  const refused = written(host, 'manifest refused');
  await host.clock.advance(10_000);
  await refused;
  await host.clock.advance(590_000);
  expect(runs).toBe(3);
  const lines = host.stderr.lines.filter((line) => line.includes('refused'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /error manifest refused, everything goes on as before: plugin 'acme': config\/hots is not known; did you mean 'host'\? \(.*plugins\.json:3:44\) \(OCTO_CONFIG_INVALID\)/,
  );
  expect(host.stderr.text).not.toContain('hunter2');
});

test('--no-watch waits for SIGHUP', async () => {
  const host = await started(async ({ config }) => emptyReport(config.id), '--no-watch');
  await host.write(twoPipelines);
  await host.clock.advance(60_000);
  expect(host.stderr.text).not.toContain('applied');
  const applied = written(host, 'pipeline cash new');
  host.hangUp();
  await applied;
});

test('a run that goes on ends with the plugins that it began with; the next one has the new', async () => {
  const providers: unknown[] = [];
  const first = Promise.withResolvers<void>();
  const host = await started(async ({ config, provider }) => {
    providers.push(provider);
    if (providers.length === 1) await first.promise;
    return emptyReport(config.id);
  });
  await host.write(goodManifest.replace('sftp.test', 'other.test'));
  const applied = written(host, 'manifest applied');
  host.hangUp();
  await applied;
  await host.clock.advance(60_000);
  first.resolve();
  await host.clock.advance(240_000);
  expect(providers).toHaveLength(2);
  expect(providers[0]).not.toBe(providers[1]);
});

test('reloads are one JSON object each, with names and never a value', async () => {
  const { environment, folder } = await site(goodManifest);
  const stop = new AbortController();
  const run: Run = async ({ config }) => emptyReport(config.id);
  const ended = octoHost(['start', '--log', 'json'], withRun(environment, run, stop.signal));
  await written(environment, 'run finished');
  const write = (manifest: string) => writeFile(join(folder, 'plugins.json'), manifest);
  await write(goodManifest.replace('hunter2hunter2', 'correct horse'));
  environment.hangUp();
  await written(environment, 'manifest applied');
  await write('{');
  environment.hangUp();
  await written(environment, 'manifest refused');
  stop.abort(new Interrupted('SIGTERM'));
  const { stderr } = await ended;
  const entries = stderr.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries).toContainEqual(
    expect.objectContaining({
      level: 'info',
      message: 'manifest applied',
      plugins: {
        kept: 1,
        started: [{ id: 'acme', why: 'changed', keys: ['config/password'] }],
        retired: [],
      },
      pipelines: {
        kept: 0,
        started: [{ id: 'trades', why: 'changed', keys: [], plugins: ['acme'] }],
        retired: [],
      },
    }),
  );
  expect(entries).toContainEqual(
    expect.objectContaining({
      level: 'error',
      message: 'manifest refused, everything goes on as before',
      issues: [expect.objectContaining({ code: 'OCTO_MANIFEST_SYNTAX' })],
    }),
  );
  expect(stderr.text).not.toMatch(/hunter2|horse/);
});
