import { expect, onTestFinished, test } from 'vitest';
import { Interrupted } from '../../src/cli/environment.ts';
import { emptyReport } from '../../src/cli/run-result.ts';
import { PlainSecrets, type Secrets } from '../manifest/plain-secrets.ts';
import { goodManifest, site, withRuns } from './site.ts';
import { octoHost, type TestEnvironment } from './test-environment.ts';

/** A vendor whose password is a secret, one that needs none, and a pipeline from each. */
const manifest = goodManifest
  .replace(
    '"hunter2hunter2" } },',
    '"${secret:acme-pass}" } }, "open": { "use": "vendor", "config": { "host": "h" } },',
  )
  .replace(
    '"every": "5m" }',
    '"every": "5m" }, "free": { "from": "open", "to": "lake", "key": "{name}", "every": "5m" }',
  );

/** The site, and its store with these secrets; sealed when there are none. */
async function withStore(secrets?: Secrets) {
  const { environment, folder } = await site(manifest);
  const store = await new PlainSecrets(folder).put(secrets ?? {});
  if (secrets === undefined) await store.seal();
  const rooms = { ...environment.rooms, secretSource: async () => store };
  return { store, environment: { ...environment, rooms } as TestEnvironment };
}

const value = 'hunter2hunter2';
const commands = [['lint'], ['plan'], ['check']];

test.each(commands)('%s takes a manifest whose secrets are granted', async (...argv) => {
  const { environment } = await withStore({ 'acme-pass': { value, grants: ['acme'] } });
  const { code, stdout } = await octoHost(argv, environment);
  expect(code).toBe(0);
  expect(stdout.text).not.toContain(value);
});

test.each(commands)('%s says who lacks which grant, and what gives it', async (...argv) => {
  const { environment } = await withStore({ 'acme-pass': { value, grants: ['lake'] } });
  const { code, stdout, stderr } = await octoHost(argv, environment);
  expect(code).toBe(2);
  const text = stdout.text + stderr.text;
  expect(text).toMatch(
    /plugin 'acme': config\/password refers to \$\{secret:acme-pass\}, which it was not granted; octo-host secrets grant acme-pass --for acme \(.*plugins\.json:3:77\)/,
  );
  expect(text).not.toContain(value);
});

test.each([...commands, ['run', 'trades']])(
  '%s of a sealed store is one message',
  async (...argv) => {
    const { environment } = await withStore();
    const { code, stdout, stderr } = await octoHost(argv, environment);
    expect(code).toBe(2);
    const lines = [...stdout.lines, ...stderr.lines].filter((line) =>
      line.includes('put the key back'),
    );
    expect(lines).toHaveLength(1);
  },
);

test('a run that needs no secret goes on beside a sealed store', async () => {
  const { environment } = await withStore();
  const rooms = withRuns(environment.rooms, async ({ config }) => emptyReport(config.id));
  const { code } = await octoHost(['run', 'free'], { ...environment, rooms });
  expect(code).toBe(0);
});

test('health shows what is held, and is no "all well"', async () => {
  const { environment } = await withStore();
  const { code, stdout } = await octoHost(['health'], environment);
  expect(code).toBe(3);
  expect(stdout.lines.find((line) => line.startsWith('held'))).toMatch(
    /^held +acme +– +– +plugin 'acme': config\/password waits for \$\{secret:acme-pass\}: the store is sealed; put the key back/,
  );
  expect(stdout.lines.at(-1)).toBe('1 held');
});

test('plugins are listed with what is held, and why', async () => {
  const { environment } = await withStore();
  const { code, stdout } = await octoHost(['plugins'], environment);
  expect(code).toBe(0);
  expect(stdout.lines.find((line) => line.startsWith('acme'))).toContain('held');
  expect(stdout.text).toContain('waits for ${secret:acme-pass}');
});

test('a host starts beside a sealed store and takes up what was held when the key is there', async () => {
  const { environment, store } = await withStore();
  const ran: string[] = [];
  const ranTrades = Promise.withResolvers<void>();
  const rooms = withRuns(environment.rooms, async ({ config, provider }) => {
    ran.push(config.id);
    if (config.id === 'trades') ranTrades.resolve();
    return emptyReport(provider === undefined ? '' : config.id);
  });
  const stop = new AbortController();
  const ended = octoHost(['start', '--log', 'text'], {
    ...environment,
    rooms,
    signal: stop.signal,
  });
  onTestFinished(async () => {
    stop.abort(new Interrupted('SIGTERM'));
    await ended;
  });
  // The schedule and the watch.
  await environment.clock.untilSleeping(2);
  await environment.clock.advance(300_000);
  await environment.clock.untilSleeping(2);
  expect(new Set(ran)).toEqual(new Set(['free']));
  expect(environment.stderr.text).toContain('held: waits for a secret');
  await store.put({ 'acme-pass': value });
  await environment.clock.advance(10_000);
  await ranTrades.promise;
  expect(environment.stderr.text).toContain('plugin acme new, pipeline trades new');
  expect(environment.stderr.text).not.toContain(value);
});
