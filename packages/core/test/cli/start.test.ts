import { PluginError } from '@octo/plugin-api';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Interrupted } from '../../src/cli/environment.ts';
import type { rooms } from '../../src/cli/rooms.ts';
import { emptyReport } from '../../src/cli/run-result.ts';
import { lockHost } from '../../src/state/host-lock.ts';
import { goodManifest, site } from './site.ts';
import { octoHost, type TestEnvironment } from './test-environment.ts';

type Run = typeof rooms.runPipeline;

/** A host that was started and has begun its first run; the test stops it at the latest. */
async function started(run: Run) {
  const { environment } = await site(goodManifest);
  const stop = new AbortController();
  const begun = Promise.withResolvers<void>();
  const first: Run = (...args) => {
    begun.resolve();
    return run(...args);
  };
  const ended = octoHost(['start', '--log', 'text'], withRun(environment, first, stop.signal));
  onTestFinished(async () => {
    stop.abort(new Interrupted('SIGTERM'));
    await ended;
  });
  await begun.promise;
  return { clock: environment.clock, ended, stop };
}

function withRun(environment: TestEnvironment, runPipeline: Run, signal: AbortSignal) {
  return { ...environment, signal, rooms: { ...environment.rooms, runPipeline } };
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
    '03:55:00 info  stopping: no new runs; running ones may take 30 s to finish',
    '03:55:00 info  stopped',
  ]);
});

test('a run that fails is said, and the next one tries again', async () => {
  let runs = 0;
  const { clock, ended, stop } = await started(async () => {
    runs++;
    throw new PluginError('network', 'no route to sftp.test:22');
  });
  await clock.advance(5 * 60_000);
  expect(runs).toBe(2);
  stop.abort(new Interrupted('SIGTERM'));
  expect((await ended).stderr.text).toContain(
    'the run failed; the next one tries again: no route to sftp.test:22 (pipeline trades)',
  );
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
