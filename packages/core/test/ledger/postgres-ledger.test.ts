import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { PostgresLedger } from '../../src/ledger/postgres-ledger.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { ledgerSuite } from './ledger-suite.ts';
import { postgresServer } from './postgres-server.ts';

let server: EmbeddedPostgres;
let admin: Client;

beforeAll(async () => {
  server = await postgresServer();
  admin = new Client(server.config);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});

/** Everything that the database dated lies `ms` further back. */
async function elapse(ms: number): Promise<void> {
  await admin.query(`
    update octo.delivery set lease_until = lease_until - ${ms} * interval '1 millisecond',
      not_before = not_before - ${ms} * interval '1 millisecond';
    update octo.sighting set first_seen = first_seen - ${ms} * interval '1 millisecond'`);
}

describe('the ledger in PostgreSQL', () => {
  ledgerSuite(async () => {
    const open = new Map<string, Ledger>();
    const logger = new RecordingLogger();
    const empty = 'truncate octo.delivery, octo.event, octo.outbox, octo.sighting';
    await admin.query(empty).catch(() => undefined);
    return {
      open: async (process) => {
        const ledger = await PostgresLedger.open(server, { clock: systemClock, logger });
        open.set(process, ledger);
        return ledger;
      },
      kill: async (process) => await open.get(process)![Symbol.asyncDispose](),
      elapse,
      [Symbol.asyncDispose]: async () => {
        for (const ledger of open.values()) await ledger[Symbol.asyncDispose]();
      },
    };
  });
});
