import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, startBloombergRest, type BloombergRest } from '../../src/index.ts';
import { openStream, type OpenedStream } from './event-client.ts';
import { call, rawCall } from './rest-client.ts';

const NEW = '/notifications/content/responses';
const OLD = '/notifications/sse';

let clock: ManualClock;
let rest: BloombergRest;
let opened: OpenedStream[];
beforeEach(async () => {
  clock = new ManualClock(Date.UTC(2026, 0, 15, 22));
  rest = await startBloombergRest({ clock, heartbeatMs: 30_000 });
  opened = [];
});
afterEach(async () => {
  for (const stream of opened) await stream[Symbol.asyncDispose]();
  await rest[Symbol.asyncDispose]();
});

async function listen(path = NEW, headers: { readonly [name: string]: string } = {}) {
  const stream = await openStream(rest, path, { headers, nowMs: clock.now() });
  opened.push(stream);
  return stream;
}

test('a delivery goes out to the new stream as an entry of the listing', async () => {
  const stream = await listen();
  rest.publish({ key: 'octoEod-1.csv', body: 'x' });
  const { data = '', ...told } = await stream.next();
  expect(told).toEqual({ id: 'e1', event: 'ContentDelivered' });
  const listing = await call(rest, '/catalogs/1234/content/responses/', { nowMs: clock.now() });
  expect([JSON.parse(data)]).toEqual(listing.json()['contains']);
});

test('a delivery goes out to the old stream as an activity', async () => {
  const stream = await listen(OLD);
  rest.publish({ key: 'octoEod-1.csv', body: 'x' });
  const { data = '', id } = await stream.next();
  expect(id).toBe('e1');
  expect(JSON.parse(data)).toEqual({
    '@type': 'DistributionPublishedActivity',
    generated: {
      '@id': '/eap/catalogs/1234/content/responses/octoEod-1.csv',
      identifier: 'octoEod.csv',
      contentType: 'text/csv',
      digest: { digestAlgorithm: 'sha512', digestValue: expect.any(String) },
      snapshot: { dataset: { identifier: 'octoEod', catalog: { identifier: '1234' } } },
    },
    endedAtTime: '2026-01-15T22:00:00.000Z',
  });
});

test('what is not announced is listed all the same', async () => {
  const stream = await listen();
  rest.publish({ key: 'a', body: 'x', announced: false });
  rest.publish({ key: 'b', body: 'x' });
  expect(await stream.next()).toMatchObject({
    id: 'e1',
    data: expect.stringContaining('"key":"b"'),
  });
});

test('a silent stream shows that it lives', async () => {
  const stream = await listen();
  await clock.advance(60_000);
  expect([await stream.next(), await stream.next()]).toEqual([{ '': '' }, { '': '' }]);
});

test('whoever comes back gets what was missed, and nothing twice', async () => {
  for (const key of ['a', 'b', 'c']) rest.publish({ key, body: 'x' });
  const stream = await listen(NEW, { 'last-event-id': 'e1' });
  expect([(await stream.next()).id, (await stream.next()).id]).toEqual(['e2', 'e3']);
  rest.publish({ key: 'd', body: 'x' });
  expect((await stream.next()).id).toBe('e4');
});

test('whoever comes with an id that nobody knows gets everything', async () => {
  rest.publish({ key: 'a', body: 'x' });
  const stream = await listen(NEW, { 'last-event-id': 'lost' });
  expect((await stream.next()).id).toBe('e1');
});

test('a stream is cut after so many events, and goes on where it was', async () => {
  rest.faults.sse.disconnectAfter = 1;
  const stream = await listen();
  const first = stream.next();
  rest.publish({ key: 'a', body: 'x' });
  rest.publish({ key: 'b', body: 'x' });
  expect((await first).id).toBe('e1');
  await expect(stream.next()).rejects.toThrow('aborted');
  const again = await listen(NEW, { 'last-event-id': 'e1' });
  expect((await again.next()).id).toBe('e2');
});

test('a stalled stream says nothing, not even that it lives', async () => {
  const stream = await listen();
  rest.faults.sse.stall = true;
  rest.publish({ key: 'a', body: 'x' });
  await clock.advance(300_000);
  rest.faults.sse.stall = false;
  rest.publish({ key: 'b', body: 'x' });
  expect((await stream.next()).id).toBe('e2');
});

test('events may come twice, and lines end in three ways', async () => {
  rest.faults.sse.copies = 2;
  for (const lineEnd of ['\n', '\r\n', '\r'] as const) {
    rest.faults.sse.lineEnd = lineEnd;
    const stream = await listen();
    rest.publish({ key: 'a', body: 'x' });
    expect(await stream.next()).toEqual(await stream.next());
  }
});

test('new streams are told how long to wait before a reconnect', async () => {
  rest.faults.sse.retryMs = 10;
  expect(await (await listen()).next()).toEqual({ retry: '10' });
});

test('a stream with an access token ends when the token ends', async () => {
  const { client_id, client_secret } = rest.credential;
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret });
  const { access_token: token } = (
    await rawCall(new URL(rest.oauthUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    })
  ).json();
  const headers = { authorization: `Bearer ${String(token)}` };
  const stream = await listen(NEW, headers);
  await clock.advance(30 * 60_000);
  await stream.ended();
  expect((await listen(NEW, headers)).status).toBe(401);
});

test('events are sent to those who ask for events', async () => {
  expect((await listen(NEW, { accept: 'application/json' })).status).toBe(406);
});

test('tests can wait for streams, and cut them', async () => {
  const waiting = rest.untilStreams(2);
  const streams = [await listen(), await listen()];
  await waiting;
  rest.disconnectStreams();
  for (const stream of streams) await expect(stream.next()).rejects.toThrow('aborted');
});
