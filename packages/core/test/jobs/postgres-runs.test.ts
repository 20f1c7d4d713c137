import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { PostgresRuns } from '../../src/jobs/postgres-runs.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { cuttingProxy } from '../ledger/cutting-proxy.ts';
import { postgresServer } from '../ledger/postgres-server.ts';
import { runQueueSuite } from './run-queue-suite.ts';
import { runsSuite } from './runs-suite.ts';

const request = { pipeline: 'trades', trigger: 'api', by: 'key:1' } as const;
const logger = new RecordingLogger();
const leaseMs = 3000;

let server: EmbeddedPostgres;
let admin: Client;
let opened: AsyncDisposableStack;

beforeAll(async () => {
  server = await postgresServer();
  admin = new Client(server.config);
  await admin.connect();
  await using first = await open('first');
  await first.arrive();
  opened = new AsyncDisposableStack();
});
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});

async function open(host?: string, config = server.config): Promise<PostgresRuns> {
  const place = { config, description: 'test', revive: async () => undefined };
  return await PostgresRuns.open(place, { clock: systemClock, logger, host, leaseMs });
}

async function clear(): Promise<void> {
  await admin.query(`truncate octo.run, octo.run_file, octo.run_news, octo.schedule, octo.host`);
  await admin.query('delete from octo_queue.job');
}

async function hostNamed(name: string): Promise<PostgresRuns> {
  const host = opened.use(await open(name));
  await host.arrive();
  return host;
}

/** A server that has just started gives every host the time to say that it lives: then it must be older. */
async function lapse(): Promise<void> {
  await admin.query(
    `select pg_sleep(extract(epoch from greatest(interval '0 seconds',
       pg_postmaster_start_time() + $1 * interval '1 millisecond' - clock_timestamp())))`,
    [leaseMs + 100],
  );
  await admin.query(
    `update octo.run set lease_until = clock_timestamp() - interval '1 second' where state = 'RUNNING'`,
  );
}

test('a list of one pipeline is not hidden behind ten thousand runs of another', async () => {
  await clear();
  const runs = opened.use(await open());
  const own = await runs.request({ ...request, pipeline: 'mine' });
  await admin.query(
    `insert into octo.run (id, pipeline, trigger, requested_by, state, ended_at)
     select gen_random_uuid(), 'theirs', 'schedule', 'host', 'SUCCEEDED', now() from generate_series(1, 10000)`,
  );
  const { runs: found, next } = await runs.list({ pipelines: ['mi*'], limit: 1 });
  expect(found.map(({ id }) => id)).toEqual([own.id]);
  expect(next).toBeUndefined();
  expect((await runs.list({ pipelines: ['theirs'], limit: 3 })).runs).toHaveLength(3);
});

describe('runs', () => {
  runsSuite(async () => {
    await clear();
    return opened.use(await open());
  });
});

describe('the queue', () => {
  runQueueSuite(async () => {
    await clear();
    return { host: hostNamed, lapse };
  });
});

test('a request whose answer is lost is one run, wherever the connection breaks', async () => {
  await clear();
  const proxy = opened.use(await cuttingProxy(server.config));
  const runs = opened.use(await open(undefined, proxy.config));
  await runs.request(request);
  let made = 1;
  for (let message = 1; message <= 12; message++, made++) {
    proxy.cutMessage(message % 2 === 0 ? 'client' : 'server', message);
    await runs.request(request);
  }
  proxy.cutAt('COMMIT');
  await runs.request(request);
  expect(proxy.cuts).toBeGreaterThan(5);
  expect((await runs.depth()).get('trades')).toEqual({ queued: made + 1, running: 0 });
  const { rows } = await admin.query('select count(*)::int as jobs from octo_queue.job');
  expect(rows).toEqual([{ jobs: made + 1 }]);
});

test('a run whose taking or end is not answered is taken and ended once', async () => {
  await clear();
  const proxy = opened.use(await cuttingProxy(server.config));
  const host = opened.use(await open('a', proxy.config));
  await host.arrive();
  await host.request(request);
  await host.request(request);
  proxy.cutAt('COMMIT');
  const run = (await host.take('trades', 10))!;
  expect(run).toMatchObject({ state: 'RUNNING', attempt: 1 });
  expect([...(await host.depth())]).toEqual([['trades', { queued: 1, running: 1 }]]);
  proxy.cutAt('COMMIT');
  const error = { code: 'network', message: 'no route' };
  expect(await host.end(run, { state: 'FAILED', error, timings: {} })).toMatchObject({
    state: 'FAILED',
  });
  expect(proxy.cuts).toBe(2);
});

test('hosts that begin at the same time on an empty database do not get in each other’s way', async () => {
  await clear();
  await admin.query('drop schema octo_queue cascade');
  const hosts = await Promise.all(['a', 'b', 'c', 'd'].map(hostNamed));
  const made = await Promise.all(hosts.map((host) => host.request(request)));
  const ids = new Set(made.map(({ id }) => id));
  for (const host of hosts) expect(ids.delete((await host.take('trades', 4))!.id)).toBe(true);
});

test('more requests at the same time than there are connections are all answered', async () => {
  await clear();
  const runs = opened.use(await open());
  const many = Array.from({ length: 40 }, (_, n) =>
    runs.request({ ...request, pipeline: `fresh-${n % 4}` }),
  );
  expect(new Set((await Promise.all(many)).map(({ id }) => id)).size).toBe(40);
});

test('what the queue lost is put in again when a host begins', async () => {
  await clear();
  const before = await hostNamed('a');
  const { id } = await before.request(request);
  await admin.query('delete from octo_queue.job');
  expect(await before.take('trades', 1)).toBeUndefined();
  const after = await hostNamed('a');
  expect(await after.take('trades', 1)).toMatchObject({ id });
});
