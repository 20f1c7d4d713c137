import { PluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { type AuditEntry, noAudit } from '../../src/audit/audit-trail.ts';
import { goodManifest, site } from './site.ts';
import { octoHost } from './test-environment.ts';

test('every enabled instance is one line, and one that cannot tell is no alarm', async () => {
  const { environment, vendor } = await site(goodManifest);
  vendor.health = async () => {};
  const { code, stdout, stderr } = await octoHost(['health'], environment);
  expect(stdout.text).toBe(`\
state    plugin  kind      took  reason
healthy  acme    provider  0 ms
unknown  lake    sink      –     the plugin does not tell its health

all well
`);
  expect(stderr.text).toBe('');
  expect(code).toBe(0);
});

test('one that is down says why and what to do, without its password, and ends with 3', async () => {
  const { environment, vendor } = await site(goodManifest);
  vendor.health = async () => {
    throw new PluginError('auth', 'sftp.test refused hunter2hunter2\u001B[2J');
  };
  const { code, stdout } = await octoHost(['health'], environment);
  expect(stdout.lines).toEqual([
    'state    plugin  kind      took  reason',
    String.raw`down     acme    provider  –     auth: sftp.test refused [secret]\x1b[2J`,
    '  → check the credentials, the host key and the rights of this login',
    'unknown  lake    sink      –     the plugin does not tell its health',
    '1 down',
  ]);
  expect(code).toBe(3);
});

test('for programs it is one document, the same names for every instance', async () => {
  const { environment, vendor } = await site(goodManifest);
  vendor.health = async () => {
    throw new PluginError('network', 'no route, hunter2hunter2', { code: 'CONNECTION_LOST' });
  };
  const { code, stdout } = await octoHost(['health', '--json'], environment);
  expect(code).toBe(3);
  expect(JSON.parse(stdout.text)).toEqual({
    ok: false,
    instances: [
      {
        id: 'acme',
        kind: 'provider',
        state: 'down',
        tookMs: null,
        type: 'network',
        code: 'CONNECTION_LOST',
        reason: 'no route, [secret]',
        remedy: 'check the address, the network between, and firewalls',
        breaker: null,
      },
      {
        id: 'lake',
        kind: 'sink',
        state: 'unknown',
        tookMs: null,
        type: null,
        code: null,
        reason: 'the plugin does not tell its health',
        remedy: null,
        breaker: null,
      },
    ],
  });
});

test('one that does not start is down with its reason, told once', async () => {
  const { environment, vendor } = await site(goodManifest);
  vendor.start = async () => {
    throw new Error('no room for hunter2hunter2');
  };
  vendor.health = async () => {};
  const { code, stdout, stderr } = await octoHost(['health'], environment);
  expect(code).toBe(3);
  expect(stdout.text).toContain('unexpected: did not start: no room for [secret]');
  expect(stderr.text).toBe('');
});

test('one that is slow is degraded, which is no failure', async () => {
  const { environment, vendor } = await site(goodManifest);
  vendor.health = (signal) => environment.clock.sleep(6000, signal);
  const asking = octoHost(['health'], environment);
  await environment.clock.untilSleeping(2);
  await environment.clock.advance(6000);
  const { code, stdout } = await asking;
  expect(stdout.text).toContain('degraded  acme    provider  6000 ms  slow: 6000 of 10000 ms');
  expect(stdout.lines.at(-1)).toBe('1 degraded');
  expect(code).toBe(0);
});

test('one that never answers is down after ten seconds, or sooner if its policy says so', async () => {
  for (const [policy, deadlineMs] of [
    ['', 10_000],
    ['"policy": { "timeoutMs": 2000 },', 2000],
  ] as const) {
    const { environment, vendor } = await site(
      goodManifest.replace('"use": "vendor",', `"use": "vendor", ${policy}`),
    );
    vendor.health = () => new Promise(() => {});
    const asking = octoHost(['health'], environment);
    await environment.clock.untilSleeping();
    await environment.clock.advance(deadlineMs);
    const { code, stdout } = await asking;
    expect(stdout.text).toContain(`did not answer within ${deadlineMs} ms`);
    expect(code).toBe(3);
  }
});

test('what is switched off is not asked', async () => {
  const { environment } = await site(
    goodManifest.replace('"use": "memory"', '"use": "memory", "enabled": false'),
  );
  const { stdout } = await octoHost(['health', '--json'], environment);
  const { instances } = JSON.parse(stdout.text) as { instances: { id: string }[] };
  expect(instances.map(({ id }) => id)).toEqual(['acme']);
});

test('a refused manifest is exit code 2, and still one document for programs', async () => {
  const { environment } = await site(goodManifest.replace('"to": "lake"', '"to": "laek"'));
  const { code, stdout, stderr } = await octoHost(['health', '--json'], environment);
  expect(code).toBe(2);
  expect(JSON.parse(stdout.text)).toEqual({
    ok: false,
    instances: [],
    error: expect.stringContaining("did you mean 'lake'?") as string,
  });
  expect(stderr.text).toContain('(OCTO_INSTANCE_UNKNOWN)');
});

test('an interruption ends the question', async () => {
  const { environment, vendor } = await site(goodManifest);
  const interrupted = new AbortController();
  vendor.health = () => new Promise(() => {});
  const asking = octoHost(['health'], { ...environment, signal: interrupted.signal });
  await environment.clock.untilSleeping();
  interrupted.abort(new Error('stopped by hand'));
  const { stdout, stderr } = await asking;
  expect(stderr.text).toContain('stopped by hand');
  expect(stdout.text).toBe('');
});

test('what is left alone says until when and how to end it; reset ends it, and is written down', async () => {
  const { environment, vendor, breakers } = await site(goodManifest);
  vendor.health = async () => {};
  const until = Date.UTC(2026, 0, 31, 3, 50);
  breakers.states.set('acme', { state: 'open', until, times: 1, why: 'no route' });
  const shared = {
    ...environment,
    env: { ...environment.env, DATABASE_URL: 'postgres://db.test' },
  };
  const line = (await octoHost(['health'], shared)).stdout.lines[2];
  expect(line).toBe(
    '  → runs wait until 2026-01-31T03:50:00.000Z (no route); octo-host plugins reset acme ends the waiting',
  );
  const recorded: AuditEntry[] = [];
  const audit = { ...noAudit, record: async (entry: AuditEntry) => void recorded.push(entry) };
  const rooms = { ...shared.rooms, openAudit: async () => audit };
  const { code, stdout } = await octoHost(['plugins', 'reset', 'acme'], { ...shared, rooms });
  expect([code, stdout.text.split('\n').at(-2)]).toEqual([0, 'acme is asked as usual again']);
  expect(breakers.states.get('acme')).toEqual({ state: 'closed', failures: [] });
  expect(recorded.map(({ action }) => action)).toEqual(['breaker.reset', 'breaker.closed']);
  expect((await octoHost(['plugins', 'reset', 'nobody'], shared)).code).toBe(2);
});
