/** Waiting for answers: by events, by looking, and neither longer than allowed. */
import type { RemoteFile, Session } from '@octo/plugin-api';
import { type BloombergRest, ManualClock, startBloombergRest } from '@octo/plugin-testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bloombergOverRest, type Written } from './provider.ts';
import { never } from './rest/loopback.ts';

const ASKED = {
  identifier: 'octoEod',
  securities: ['IBM US Equity'],
  fields: ['PX_LAST'],
};
const WAITING = { requests: [ASKED], waitMs: 600_000, pollMs: 300_000 };
const EVENTS = '/eap/notifications/content/responses';

test('the stream of events is open before anything is asked for', async () => {
  const { server, session } = await opened();
  const paths = server.calls.map(({ method, path }) => `${method} ${path}`);
  const [stream, post] = [`GET ${EVENTS}`, 'POST /eap/catalogs/1234/requests/'];
  expect(paths.indexOf(stream)).toBeGreaterThan(-1);
  expect(paths.indexOf(stream)).toBeLessThan(paths.indexOf(post));
  await session[Symbol.asyncDispose]();
});

test('an event ends the waiting long before the next look', async () => {
  const { clock, server, session } = await opened();
  const listing = listed(session);
  await looked(server);
  server.publish({ key: 'octoEod-20260115.csv', body: 'x' });
  expect(await listing).toEqual(['octoEod-20260115.csv']);
  expect(clock.monotonic()).toBe(0);
});

test('a stream that is cut is opened again behind the last event, and what came between is told', async () => {
  const { clock, server, session } = await opened();
  await server.untilStreams(1);
  server.publish({ key: 'another-20260115.csv', body: 'x' });
  server.disconnectStreams();
  const listing = listed(session);
  // Once at the beginning, once because of the event.
  await looked(server, 2);
  server.publish({ key: 'octoEod-20260115.csv', body: 'x' });
  await advancing(clock, listing, WAITING.waitMs);
  expect(await listing).toEqual(['octoEod-20260115.csv']);
  expect(eventCalls(server).map(({ headers }) => headers['last-event-id'])).toEqual([
    undefined,
    'e1',
  ]);
  expect(clock.monotonic()).toBeLessThan(WAITING.pollMs);
});

test('a stream that is cut after each event loses none', async () => {
  const { clock, server, session } = await opened({
    ...WAITING,
    requests: ['octoA', 'octoB', 'octoC'].map((identifier) => ({ ...ASKED, identifier })),
  });
  server.faults.sse.disconnectAfter = 1;
  const listing = listed(session);
  await looked(server);
  for (const id of ['octoA', 'octoB', 'octoC'])
    server.publish({ key: `${id}-20260115.csv`, body: 'x' });
  await advancing(clock, listing, WAITING.waitMs);
  expect(await listing).toHaveLength(3);
  expect(clock.monotonic()).toBeLessThan(WAITING.pollMs);
});

test('events that come twice are one', async () => {
  const { server, session } = await opened();
  const another = { key: 'another-20260115.csv', body: 'x', modifiedMs: 1_768_514_400_000 };
  const listing = listed(session);
  await looked(server);
  server.publish(another);
  await looked(server, 2);
  server.publish(another);
  // Whoever took it for news would look before these are answered.
  const file = { path: another.key, name: another.key, size: 1, mtimeMs: another.modifiedMs };
  for (let i = 0; i < 5; i++) await session.stat(file, never);
  server.publish({ key: 'octoEod-20260115.csv', body: 'x' });
  expect(await listing).toEqual(['octoEod-20260115.csv']);
  expect(looks(server)).toBe(3);
});

test('a stream that falls silent is left after a while, and keeps nobody from looking', async () => {
  const { clock, server, session } = await opened();
  server.faults.sse.stall = true;
  const listing = listed(session);
  await looked(server);
  server.publish({ key: 'octoEod-20260115.csv', body: 'x' });
  await advancing(clock, listing, WAITING.waitMs);
  expect(await listing).toEqual(['octoEod-20260115.csv']);
  expect(eventCalls(server).length).toBeGreaterThan(1);
});

test('without a stream one looks from time to time', async () => {
  const { clock, server, session } = await opened({ ...WAITING, notifications: 'poll' });
  const listing = listed(session);
  await looked(server);
  server.publish({ key: 'octoEod-20260115.csv', body: 'x' });
  await advancing(clock, listing, WAITING.waitMs);
  expect(await listing).toEqual(['octoEod-20260115.csv']);
  expect(eventCalls(server)).toEqual([]);
  expect(clock.monotonic()).toBeGreaterThanOrEqual(WAITING.pollMs);
  expect(looks(server)).toBe(2);
});

test('nobody waits longer than allowed', async () => {
  const { clock, server, session } = await opened({ ...WAITING, notifications: 'poll' });
  const listing = listed(session);
  await advancing(clock, listing, 2 * WAITING.waitMs);
  expect(await listing).toEqual([]);
  expect(clock.monotonic()).toBeGreaterThanOrEqual(WAITING.waitMs);
  expect(clock.monotonic()).toBeLessThan(1.5 * WAITING.waitMs);
  expect(looks(server)).toBe(3);
});

test('without waitMs nobody waits, and no stream is opened', async () => {
  const { server, session } = await opened({ requests: [ASKED] });
  expect(await listed(session)).toEqual([]);
  expect(eventCalls(server)).toEqual([]);
});

test('whoever is stopped while waiting gets the reason', async () => {
  const { server, session } = await opened();
  const stop = new AbortController();
  const listing = Array.fromAsync(session.list(stop.signal));
  await looked(server);
  const reason = new Error('the run was stopped');
  stop.abort(reason);
  await expect(listing).rejects.toBe(reason);
});

test('a session ends at once, whatever its stream does', async () => {
  const { clock, server, session } = await opened();
  await server.untilStreams(1);
  server.faults.sse.stall = true;
  await session[Symbol.asyncDispose]();
  // Nobody sleeps any more but the server, over the answer that it delays.
  expect(clock.pending).toBe(1);
});

interface Opened {
  readonly server: BloombergRest;
  readonly session: Session;
  readonly clock: ManualClock;
}

/** A session whose request is never answered but by the test. */
async function opened(config: Written = WAITING): Promise<Opened> {
  const clock = new ManualClock(Date.UTC(2026, 0, 15, 22));
  const server = await startBloombergRest({ clock, heartbeatMs: 0 });
  server.faults.deliverDelayMs = 86_400_000;
  const bench = await bloombergOverRest(server, config, clock);
  onTestFinished(async () => {
    await bench[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const session = await bench.provider.connect(never);
  onTestFinished(async () => await session[Symbol.asyncDispose]());
  return { server, session, clock };
}

async function listed(session: Session): Promise<string[]> {
  const files: RemoteFile[] = await Array.fromAsync(session.list(never));
  return files.map(({ path }) => path);
}

/** Resolves when the responses were listed so many times. */
async function looked(server: BloombergRest, times = 1): Promise<void> {
  await vi.waitUntil(() => looks(server) >= times, { timeout: 20_000, interval: 2 });
}

function looks(server: BloombergRest): number {
  return server.calls.filter(
    ({ path, query }) =>
      path.endsWith('/content/responses/') && /requestIdentifier=octo(Eod|A)&/.test(`${query}&`),
  ).length;
}

function eventCalls(server: BloombergRest) {
  return server.calls.filter(({ path }) => path === EVENTS);
}

/**
 * Moves the clock in steps that are short beside every deadline, so that what is on its way over loopback arrives in
 * between, until the work is done or the time is over.
 */
async function advancing(clock: ManualClock, work: Promise<unknown>, ms: number): Promise<void> {
  const state = { done: false };
  const finish = (): void => void (state.done = true);
  work.then(finish, finish);
  for (let passed = 0; passed < ms && !state.done; passed += STEP_MS) await clock.advance(STEP_MS);
}

const STEP_MS = 250;
