import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliveryId } from '../../src/ledger/delivery-id.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { temporaryFolder } from '../state/temporary-folder.ts';
import { postgresServer, urlOf } from './postgres-server.ts';

const logger = new RecordingLogger();
const scope = { pipeline: 'p', sink: 's' };
const version = { path: 'a', name: 'a', size: 1, mtimeMs: 1, location: 'a', key: 'a' };

let server: EmbeddedPostgres;

beforeAll(async () => {
  server = await postgresServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const url = () => urlOf(server);

test('DATABASE_URL is a ledger like the embedded one, and nothing is started', async () => {
  await using folder = await temporaryFolder();
  const options = { stateFolder: folder.path, databaseUrl: await url(), logger };
  {
    await using ledger = await openLedger(options);
    await ledger.discover(scope, [version]);
  }
  await using ledger = await openLedger({ ...options, run: 'run-2' });
  const id = deliveryId(scope, version);
  await ledger.note(id, 'seen');
  await ledger.withRun('run-3').note(id, 'seen');
  const history = await ledger.history(id);
  expect(history.map(({ event, run }) => [event, run])).toEqual([
    ['discovered', undefined],
    ['seen', 'run-2'],
    ['seen', 'run-3'],
  ]);
});

test('a DATABASE_URL that is none is refused without quoting it', async () => {
  await using folder = await temporaryFolder();
  for (const databaseUrl of ['postgres://u:hunter2@host:port/db', 'mysql://u:hunter2@host/db'])
    await expect(
      openLedger({ stateFolder: folder.path, databaseUrl, logger }),
    ).rejects.toMatchObject({
      code: 'OCTO_DATABASE_URL',
      message: expect.not.stringContaining('hunter2'),
    });
});

test('closing is quiet, and a lost connection is told without the secrets of its client', async () => {
  await using folder = await temporaryFolder();
  const told = new RecordingLogger();
  const ledger = await openLedger({
    stateFolder: folder.path,
    databaseUrl: await url(),
    logger: told,
  });
  const admin = new Client(server.config);
  await admin.connect();
  // Who asks on the connection that is cut has waited until the client knows.
  await ledger.countOpen(scope);
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name in ('octo', 'octo presence')`);
  await admin.end();
  await ledger.countOpen(scope);
  await ledger.lockPlace('somewhere');
  const before = told.entries.length;
  await ledger[Symbol.asyncDispose]();
  expect(told.entries.slice(before)).toEqual([]);
  const fields = new Set(told.entries.flatMap((entry) => Object.keys(entry.fields)));
  expect([...fields].filter((name) => name !== 'code' && name !== 'reason')).toEqual([]);
});
