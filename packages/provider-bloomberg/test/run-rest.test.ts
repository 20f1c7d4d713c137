/** `octo-host run bloomberg-eod` against the loopback REST API. */
import { gzipSync } from 'node:zlib';
import type { BloombergRest } from '@octo/plugin-testing';
import { expect, test, vi } from 'vitest';
import { bloombergRest, csvReply, restSite, withLedger } from './site.ts';

withLedger();

const KEY = 'octoEod-20260115T220444.csv';
const DAY_MS = 86_400_000;

test('the first run delivers what is there, the second finds nothing new', async () => {
  const server = await bloombergRest();
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  const site = await restSite(server, {
    pipeline: { key: 'bloomberg/{requestType}/{request}/{name}' },
  });
  const first = await site.run();
  expect(first).toMatchObject({ code: 0, quarantined: [], failed: [], pending: [] });
  expect(await site.visible()).toEqual([`bloomberg/DataRequest/octoEod/${KEY}`]);
  const [delivered] = await site.visible();
  expect(await site.content(delivered ?? '')).toBe(csvReply('octoEod', 3));
  expect(await site.run()).toMatchObject({ code: 0, delivered: [], duplicates: [] });
});

test('a download that is cut at 60 % goes on where it was, and is whole', async () => {
  const server = await bloombergRest();
  const body = csvReply('octoEod', 60_000);
  const gzipBytes = gzipSync(body).length;
  server.publish({ key: KEY, body });
  server.faults.cutAfterBytes(KEY, Math.floor(gzipBytes * 0.6));
  const site = await restSite(server);
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: KEY }] });
  expect(await site.content(KEY)).toBe(body);
  const ranges = server.calls
    .filter(({ path }) => path.endsWith(KEY))
    .map(({ headers }) => headers['range']);
  expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d{4,}-$/)]);
});

test('an expired credential is told as such, and nothing is sent with it', async () => {
  const server = await bloombergRest({ credential: { expiration_date: Date.now() - DAY_MS } });
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  const site = await restSite(server);
  const { code, error } = await site.run();
  expect(code).toBe(3);
  expect(error).toMatch(/expired on .*console\.bloomberg\.com.*CREDENTIAL_EXPIRED/);
  expect(server.calls).toEqual([]);
  expect(await site.visible()).toEqual([]);
});

test('a credential that Bloomberg calls expired ends the run, and both causes are named', async () => {
  const server = await bloombergRest();
  server.faults.expiredCredential = true;
  const { code, error } = await (await restSite(server)).run();
  expect(code).toBe(3);
  expect(error).toMatch(/credential.*allow-list.*LOGIN_REFUSED/);
});

test('a credential that ends within thirty days is warned about', async () => {
  const server = await bloombergRest({
    credential: { expiration_date: Date.now() + 9.5 * DAY_MS },
  });
  const site = await restSite(server);
  const { code, said } = await site.run();
  expect(code).toBe(0);
  expect(said).toMatch(/expires soon/);
  const { stdout } = await site.octo('check');
  expect(stdout).toMatch(/credential.*expires in 9 days/);
});

test('a storm of 429 delays the run and costs nothing else', async () => {
  const server = await bloombergRest();
  for (let i = 0; i < 5; i++) {
    const id = `octoEod${i}`;
    server.publish({ key: `${id}-20260115.csv`, body: csvReply(id, 3) });
  }
  server.faults.tooMany({ after: 1, count: 3 });
  server.faults.tooMany({ after: 2, count: 4 });
  const site = await restSite(server);
  const { code, delivered } = await site.run();
  expect({ code, delivered: delivered.length }).toEqual({ code: 0, delivered: 5 });
  expect(server.calls.filter(({ status }) => status === 429)).toHaveLength(7);
});

test('a storm that does not end is a rate limit, and the next run delivers', async () => {
  const server = await bloombergRest();
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  server.faults.tooMany({ after: 0, count: 10 });
  const site = await restSite(server);
  const { code, error } = await site.run();
  expect({ code, error }).toEqual({ code: 3, error: expect.stringContaining('TOO_MANY_REQUESTS') });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: KEY }] });
});

test('a run that waits is told of its answers by events, over a stream that is cut', async () => {
  const server = await bloombergRest();
  // Nobody answers but the test.
  server.faults.deliverDelayMs = 10 * DAY_MS;
  server.faults.sse.disconnectAfter = 1;
  const called = (end: string) => server.calls.filter(({ path }) => path.endsWith(end));
  const streams = () => called('/notifications/content/responses');
  const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 20_000, interval: 5 });
  const ask = (identifier: string) => ({
    identifier,
    securities: ['IBM US Equity'],
    fields: ['PX_LAST'],
  });
  const site = await restSite(server, {
    config: { requests: [ask('octoEod'), ask('octoRef')], waitMs: 600_000, pollMs: 600_000 },
    policy: { timeoutMs: 900_000 },
  });
  const running = site.run();
  await until(() => called('/1234/content/responses/').length >= 2);
  server.publish({ key: 'octoEod-20260115.csv', body: csvReply('octoEod', 3) });
  await until(() => streams().length >= 2);
  server.publish({ key: 'octoRef-20260115.csv', body: csvReply('octoRef', 3) });
  const first = await running;
  expect(first).toMatchObject({ code: 0, quarantined: [], failed: [] });
  expect(await site.visible()).toEqual(['octoEod-20260115.csv', 'octoRef-20260115.csv']);
  expect(streams()[1]?.headers['last-event-id']).toBe('e1');
  expect(await site.run()).toMatchObject({ code: 0, delivered: [], duplicates: [] });
  expect(server.calls.filter(({ method }) => method === 'POST')).toHaveLength(2);
});

test('a response that is issued again is delivered beside the first, which stays', async () => {
  const server = await bloombergRest();
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  const site = await restSite(server);
  await site.run();
  server.replace(KEY, csvReply('octoEod', 3, '230.00'));
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ path: KEY }] });
  const keys = ['octoEod-20260115T220444.csv', 'octoEod-20260115T220444~2.csv'];
  expect(await site.visible()).toEqual(keys);
  expect(await site.content(keys[0] ?? '')).toContain('231.45');
  expect(await site.content(keys[1] ?? '')).toContain('230.00');
});

test('a reply without END-OF-FILE is set aside, and nothing of it is visible', async () => {
  const server = await bloombergRest();
  const body = [
    'START-OF-FILE',
    'PROGRAMNAME=getdata',
    'START-OF-FIELDS',
    'PX_LAST',
    'END-OF-FIELDS',
    'START-OF-DATA',
    'IBM US Equity|0|1|231.450000|',
    'END-OF-DATA',
    '',
  ].join('\n');
  server.publish({ key: 'octoEod-20260115.bbg', body });
  server.publish({ key: 'octoEod-20260116.bbg', body: `${body}END-OF-FILE\n` });
  const site = await restSite(server);
  const { code, quarantined } = await site.run();
  expect(code).toBe(1);
  expect(quarantined).toEqual([
    expect.objectContaining({
      path: 'octoEod-20260115.bbg',
      reason: expect.stringMatching(/^TRUNCATED: .*END-OF-FILE/),
    }),
  ]);
  expect(await site.visible()).toEqual(['octoEod-20260116.bbg']);
});

test('a response with another digest than promised is set aside', async () => {
  const server = await bloombergRest();
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  server.faults.wrongDigest(KEY);
  const site = await restSite(server);
  const { code, quarantined } = await site.run();
  expect(code).toBe(1);
  expect(quarantined).toEqual([
    expect.objectContaining({ reason: expect.stringMatching(/^DIGEST_MISMATCH: /) }),
  ]);
  expect(await site.visible()).toEqual([]);
});

test('a server whose clock is an hour ahead is no obstacle', async () => {
  const server = await bloombergRest();
  server.faults.skewMs = 3_600_000;
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  const site = await restSite(server);
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: KEY }] });
  expect(server.calls.filter(({ status }) => status === 401)).toHaveLength(1);
});

test('check walks through what must hold, and asks for nothing', async () => {
  const server = await bloombergRest();
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  const requests = [
    { identifier: 'octoEod', securities: ['IBM US Equity'], fields: ['PX_LAST'] },
    { identifier: 'octoRef', securities: ['IBM US Equity'], fields: ['NAME'] },
  ];
  const site = await restSite(server, { config: { requests } });
  const { code, stdout } = await site.octo('check');
  expect(code).toBe(0);
  expect(stdout).toMatch(/credential .*expires in 546 days/);
  expect(stdout).toMatch(/resolve .*127\.0\.0\.1/);
  expect(stdout).toMatch(/login .*catalogue 1234/);
  expect(stdout).toMatch(/requests .*not made yet: octoEod, octoRef/);
  expect(stdout).toMatch(/responses .*1 ready/);
  expect(server.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test.each<[string, (server: BloombergRest) => void, RegExp]>([
  [
    'an address that is not allowed',
    ({ faults }) => void (faults.addressNotAllowed = true),
    /login .*(401|403).*allow-list/s,
  ],
  [
    'a credential without the right',
    ({ faults }) => faults.status('/eap/catalogs/', 403),
    /login .*403.*entitle/s,
  ],
])('check stops at %s, and says what to do', async (_, arrange, told) => {
  const server = await bloombergRest();
  arrange(server);
  const { code, stdout } = await (await restSite(server)).octo('check');
  expect(code).toBe(3);
  expect(stdout).toMatch(told);
  expect(stdout).not.toMatch(/responses /);
});

test('a reply can be delivered as it is with its table beside it', async () => {
  const server = await bloombergRest();
  server.publish({ key: KEY, body: csvReply('octoEod', 3) });
  const site = await restSite(server, {
    pipeline: { steps: ['verify', { normalise: { as: 'csv' } }] },
  });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ path: KEY }] });
  const keys = await site.visible();
  const contents = await Promise.all(keys.map((key) => site.content(key)));
  expect(contents).toContain(csvReply('octoEod', 3));
  expect(contents.filter((text) => /^"?DL_REQUEST_ID/.test(text))).toHaveLength(2);
});

test('the secret is in nothing that is said', async () => {
  const server = await bloombergRest();
  server.faults.expiredCredential = true;
  const site = await restSite(server);
  for (const argv of [['run', 'bloomberg-eod'], ['check'], ['health'], ['lint']]) {
    const { stderr, stdout } = await site.octo(...argv);
    expect(stdout + stderr).not.toContain(server.credential.client_secret.slice(0, 12));
  }
});
