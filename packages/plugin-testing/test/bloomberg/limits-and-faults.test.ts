import { expect, test } from 'vitest';
import { ManualClock, startBloombergRest } from '../../src/index.ts';
import { call } from './rest-client.ts';

const clock = new ManualClock(Date.UTC(2026, 0, 15, 22));
const CATALOGS = '/eap/catalogs/';

test('more calls in a minute than the credential has are too many, and pass a minute later', async () => {
  await using rest = await startBloombergRest({ clock, perMinute: 2 });
  const asked = async () => (await call(rest, '/catalogs/', { nowMs: clock.now() })).status;
  expect([await asked(), await asked(), await asked()]).toEqual([200, 200, 429]);
  await clock.advance(60_000);
  expect(await asked()).toBe(200);
});

test('a storm of 429 begins and ends on order, with the envelope of the gateway', async () => {
  await using rest = await startBloombergRest({ clock });
  rest.faults.tooMany({ after: 1, count: 2 });
  rest.faults.tooMany({ after: 0, count: 1, retryAfterSeconds: 7 });
  const answers = [];
  for (let i = 0; i < 5; i += 1)
    answers.push(await call(rest, '/catalogs/', { nowMs: clock.now() }));
  expect(answers.map(({ status }) => status)).toEqual([200, 429, 429, 429, 200]);
  expect(answers.map(({ headers }) => headers['retry-after'])).toEqual([
    undefined,
    undefined,
    undefined,
    '7',
    undefined,
  ]);
  expect(answers[1]?.json()).toMatchObject({ errors: [{ errorCode: 'too-many-requests' }] });
});

test('a path fails as often as it is told to, and others do not', async () => {
  await using rest = await startBloombergRest({ clock });
  rest.faults.status(CATALOGS, 503, 2);
  rest.faults.status('/eap/catalogs/1234/content/*', 403);
  const asked = async (path: string) => (await call(rest, path, { nowMs: clock.now() })).status;
  expect(await asked('/')).toBe(200);
  expect([await asked('/catalogs/'), await asked('/catalogs/'), await asked('/catalogs/')]).toEqual(
    [503, 503, 200],
  );
  expect(await asked('/catalogs/1234/content/responses/')).toBe(403);
});

test('a redirect needs a token for the new address', async () => {
  await using rest = await startBloombergRest({ clock });
  rest.faults.redirect(CATALOGS, '/eap/catalogs/bbg/');
  const { headers, status } = await call(rest, '/catalogs/', { nowMs: clock.now() });
  expect([status, headers['location']]).toEqual([307, '/eap/catalogs/bbg/']);
  const stale = await call(rest, '/catalogs/bbg/', {
    nowMs: clock.now(),
    claims: { path: CATALOGS },
  });
  expect(stale.status).toBe(401);
});

test('faults that were reset are gone', async () => {
  await using rest = await startBloombergRest({ clock });
  rest.faults.tooMany({ after: 0, count: 9 });
  rest.faults.status('*', 500, 9);
  rest.faults.expiredCredential = true;
  rest.faults.sse.stall = true;
  rest.faults.reset();
  expect((await call(rest, '/catalogs/', { nowMs: clock.now() })).status).toBe(200);
  expect(rest.faults.sse.stall).toBe(false);
});

test('what is asked for is remembered', async () => {
  await using rest = await startBloombergRest({ clock });
  await call(rest, '/catalogs/?page=1', { nowMs: clock.now(), headers: { range: 'bytes=0-' } });
  expect(rest.calls).toMatchObject([
    { method: 'GET', path: CATALOGS, query: 'page=1', status: 200, headers: { range: 'bytes=0-' } },
  ]);
});
