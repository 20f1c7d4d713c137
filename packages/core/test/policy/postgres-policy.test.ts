import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { Database } from '../../src/ledger/postgres/database.ts';
import { migrate } from '../../src/ledger/schema/migrate.ts';
import type { Breakers } from '../../src/policy/breakers.ts';
import type { Paces } from '../../src/policy/paces.ts';
import { PostgresBreakers } from '../../src/policy/postgres-breakers.ts';
import { PostgresPaces } from '../../src/policy/postgres-paces.ts';
import { ask, type Breaker, fail, succeed } from '../../src/resilience/breaker.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { cuttingProxy } from '../ledger/cutting-proxy.ts';
import { postgresServer } from '../ledger/postgres-server.ts';

const rules = { failures: 3, withinMs: 3_600_000, openMs: 60_000, longestMs: 1_800_000 };
const hosts: Breakers[] = [];
const paces: Paces[] = [];
const opened = new AsyncDisposableStack();
let server: EmbeddedPostgres;
let admin: Client;

function host(config = server.config): Breakers {
  const place = { config, description: 'test', revive: async () => undefined };
  const options = { clock: systemClock, logger: new RecordingLogger() };
  return new PostgresBreakers(opened.use(new Database(place, options)));
}

function pace(): Paces {
  const place = { config: server.config, description: 'test', revive: async () => undefined };
  const options = { clock: systemClock, logger: new RecordingLogger() };
  return new PostgresPaces(opened.use(new Database(place, options)));
}

beforeAll(async () => {
  server = await postgresServer();
  admin = new Client(server.config);
  await admin.connect();
  await migrate(admin);
  for (let count = 0; count < 3; count++) {
    hosts.push(host());
    paces.push(pace());
  }
});
beforeEach(() => admin.query('truncate octo.breaker, octo.pace'));
afterAll(async () => {
  await opened.disposeAsync();
  await admin.end();
  await server[Symbol.asyncDispose]();
});

const failing = (books: Breakers, instance: string, by: string) =>
  books.move(instance, (before, now) => {
    return { next: fail(before, now, { by, why: 'no route' }, rules, 0.5), answer: undefined };
  });
const asking = (books: Breakers, instance: string, by: string) =>
  books.move(instance, (before, now) => ask(before, now, by));

test('failures on three hosts at the same time all count, and it is opened once', async () => {
  const moves = await Promise.all(hosts.map((books, at) => failing(books, 'acme', `run ${at}`)));
  const openings = moves.filter(({ after }) => after.state === 'open');
  expect(openings).toHaveLength(1);
  for (const books of hosts)
    expect((await asking(books, 'acme', 'next')).answer).toMatchObject({ go: 'wait' });
});

test('of thirty runs on three hosts that ask at the same moment one is the probe', async () => {
  const open: Breaker = { state: 'open', until: 0, times: 1, why: 'no route' };
  await hosts[0]!.move('acme', () => ({ next: open, answer: undefined }));
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, at) => asking(hosts[at % 3]!, 'acme', `run ${at}`)),
  );
  expect(answers.filter(({ answer }) => answer.go === 'probe')).toHaveLength(1);
});

test('time is the database’s, whatever the clocks of the hosts say', async () => {
  const { now } = await asking(hosts[0]!, 'acme', 'a');
  const { rows } = await admin.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
  );
  expect(rows[0]!.now - now).toBeGreaterThanOrEqual(0);
  expect(rows[0]!.now - now).toBeLessThan(60_000);
});

test('a success that changes nothing writes nothing', async () => {
  await hosts[0]!.move('acme', (before) => ({ next: succeed(before), answer: undefined }));
  expect((await admin.query('select 1 from octo.breaker')).rows).toEqual([]);
});

test('an answer that was lost on its way counts no failure twice', async () => {
  const proxy = opened.use(await cuttingProxy(server.config));
  const books = host(proxy.config);
  await asking(books, 'acme', 'warm');
  proxy.cutAt('INSERT 0 1');
  await failing(books, 'acme', 'run 1');
  expect(proxy.cuts).toBe(1);
  expect(await hosts[0]!.read(['acme'])).toMatchObject(
    new Map([['acme', { state: 'closed', failures: [{ by: 'run 1' }] }]]),
  );
});

test('a thousand instances are told apart, and those that nobody moved for a month are forgotten', async () => {
  await admin.query(
    `insert into octo.breaker (instance, state, moved_at)
     select 'old-' || n, '{"state":"closed","failures":[]}', clock_timestamp() - interval '31 days'
     from generate_series(1, 1000) n`,
  );
  expect((await hosts[0]!.all()).size).toBe(1000);
  await failing(hosts[0]!, 'acme', 'run 1');
  expect([...(await hosts[1]!.all()).keys()]).toEqual(['acme']);
});

const day = 86_400_000;
/** In days, so that the time that a test takes does not count. */
const inDays = (waits: readonly number[]) =>
  waits.map((wait) => Math.round(wait / day)).toSorted((a, b) => a - b);

test('requests of three hosts come one after the other, some at once after a pause', async () => {
  const rate = { requests: 1, perMs: day, burst: 3 };
  const waits = await Promise.all(
    Array.from({ length: 9 }, (_, at) => paces[at % 3]!.take('acme', rate)),
  );
  expect(inDays(waits)).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6]);
  expect(await paces[0]!.take('zenith', rate)).toBe(0);
});

test('a pause fills the bucket up to the burst and no further', async () => {
  const rate = { requests: 1, perMs: day, burst: 2 };
  for (let count = 0; count < 4; count++) await paces[0]!.take('acme', rate);
  await admin.query("update octo.pace set at = at - interval '30 days'");
  const waits = [];
  for (let count = 0; count < 4; count++) waits.push(await paces[0]!.take('acme', rate));
  expect(inDays(waits)).toEqual([0, 0, 1, 2]);
});

test('another rate counts at once, for those who wait already, too', async () => {
  for (let count = 0; count < 4; count++)
    await paces[0]!.take('acme', { requests: 1, perMs: day, burst: 1 });
  const wait = await paces[0]!.take('acme', { requests: 1000, perMs: 1000, burst: 1 });
  expect(wait).toBeLessThanOrEqual(4);
});
