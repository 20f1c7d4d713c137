import { RecordingLogger } from '@octo/plugin-testing';
import { Client, type ClientConfig } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { PostgresLedger } from '../../src/ledger/postgres-ledger.ts';
import { migrate } from '../../src/ledger/schema/migrate.ts';
import { migrations } from '../../src/ledger/schema/migrations.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { postgresServer } from './postgres-server.ts';

let server: EmbeddedPostgres;
let databases = 0;

beforeAll(async () => {
  server = await postgresServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A connection to a new, empty database. */
async function emptyDatabase(): Promise<Connection> {
  const database = `empty_${++databases}`;
  await using admin = await connect(server.config);
  await admin.client.query(`create database ${database}`);
  return await connect({ ...server.config, database });
}

interface Connection extends AsyncDisposable {
  readonly client: Client;
  readonly config: ClientConfig;
}

async function connect(config: ClientConfig): Promise<Connection> {
  const client = new Client(config);
  await client.connect();
  return { client, config, [Symbol.asyncDispose]: () => client.end() };
}

async function versions(client: Client): Promise<number[]> {
  const sql = 'select version from octo.migration order by version';
  return (await client.query<{ version: number }>(sql)).rows.map(({ version }) => version);
}

const ALL = migrations.map(({ version }) => version);

test('an empty database gets every migration, in order, once', async () => {
  await using database = await emptyDatabase();
  await migrate(database.client);
  await migrate(database.client);
  expect(await versions(database.client)).toEqual(ALL);
  // Without a gap: a database that has the highest number gets nothing that comes below it later.
  expect(ALL).toEqual(ALL.map((_, index) => index + 1));
});

test.each(ALL.slice(0, -1))('a ledger of version %i keeps its deliveries', async (version) => {
  await using database = await emptyDatabase();
  await migrate(
    database.client,
    migrations.filter((one) => one.version <= version),
  );
  await database.client.query(`
    insert into octo.delivery (id, pipeline, sink, path, size, mtime, name, location, wanted_key, state, attempt)
    values ('old', 'p', 's', 'a', 1, 2, 'a', 'a', 'a', 'DISCOVERED', 7)`);
  const place = { config: database.config, description: 'test', revive: async () => undefined };
  const options = { clock: systemClock, logger: new RecordingLogger() };
  await using ledger = await PostgresLedger.open(place, options);
  expect(await versions(database.client)).toEqual(ALL);
  const scope = { pipeline: 'p', sink: 's' };
  const request = {
    ...scope,
    leaseMs: 1000,
    onReissue: 'version',
    keyAt: (key: string) => key,
  } as const;
  const claim = (await ledger.claim(request))!;
  expect(claim).toMatchObject({ id: 'old', attempt: 8n });
  await ledger.committed(claim, { how: 'acknowledged' });
  const { rows } = await database.client.query('select delivery_id, kind from octo.outbox');
  expect(rows).toEqual([{ delivery_id: 'old', kind: 'committed' }]);
});

test('two hosts that start at the same moment migrate one after the other', async () => {
  await using one = await emptyDatabase();
  await using two = await connect(one.config);
  await Promise.all([migrate(one.client), migrate(two.client)]);
  expect(await versions(one.client)).toEqual(ALL);
});

test('a migration that fails leaves the version before it', async () => {
  await using database = await emptyDatabase();
  const broken = { version: 3, name: 'broken', sql: 'create table octo.half (); select 1 / 0' };
  const wanted = [...migrations.slice(0, 2), broken];
  await expect(migrate(database.client, wanted)).rejects.toThrow('division by zero');
  expect(await versions(database.client)).toEqual([1, 2]);
  const half = await database.client.query(`select to_regclass('octo.half') as half`);
  expect(half.rows).toEqual([{ half: null }]);
});

test('a ledger that a newer Octo has migrated is refused', async () => {
  await using database = await emptyDatabase();
  await migrate(database.client);
  await database.client.query(`insert into octo.migration values (1000, 'from the future')`);
  await expect(migrate(database.client)).rejects.toMatchObject({
    code: 'OCTO_LEDGER_NEWER',
    message: expect.stringContaining('version 1000'),
  });
});
