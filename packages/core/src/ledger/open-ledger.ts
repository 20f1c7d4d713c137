import type { Clock, Logger } from '@octo/plugin-api';
import { Client } from 'pg';
import { OctoError } from '../errors/octo-error.ts';
import { systemClock } from '../host/system-clock.ts';
import { EmbeddedPostgres } from '../state/embedded-postgres.ts';
import { prepareStateFolder } from '../state/state-folder.ts';
import type { Ledger } from './ledger.ts';
import { Database, type DatabasePlace } from './postgres/database.ts';
import { PostgresLedger } from './postgres-ledger.ts';
import { migrate } from './schema/migrate.ts';

export interface OpenLedgerOptions {
  /** Created when it is missing. */
  readonly stateFolder: string;
  /** A PostgreSQL of the user's own instead of the embedded one; empty counts as not given. */
  readonly databaseUrl?: string | undefined;
  /** Stands in the history of everything that is done through this ledger. */
  readonly run?: string | undefined;
  readonly logger: Logger;
  readonly clock?: Clock | undefined;
}

/** A ledger that can tell its history under the name of a run. */
export interface OpenedLedger extends Ledger {
  /** The same ledger; disposing it does nothing. */
  withRun(run: string): Ledger;
}

/**
 * Opens the ledger of a state folder, in the embedded PostgreSQL or in that of `databaseUrl`, and migrates it.
 * @throws OctoError OCTO_STATE_*, OCTO_DATABASE_*, OCTO_LEDGER_NEWER
 */
export async function openLedger(options: OpenLedgerOptions): Promise<OpenedLedger> {
  const { logger, databaseUrl, run } = options;
  const clock = options.clock ?? systemClock;
  const state = await prepareStateFolder(options.stateFolder);
  if (databaseUrl !== undefined && databaseUrl !== '')
    return await PostgresLedger.open(placeOfUrl(databaseUrl), { clock, logger, run });
  await using opening = new AsyncDisposableStack();
  const server = opening.use(
    await EmbeddedPostgres.open({ folder: state.postgres, clock, logger }),
  );
  const ledger = await PostgresLedger.open(server, { clock, logger, run });
  opening.move();
  return ledger.closing(server);
}

/** The ledger's database with what else is kept there, and what ends with it. */
export interface OpenedDatabase extends AsyncDisposable {
  readonly database: Database;
}

/**
 * Opens the database of the ledger for what is kept beside it, and migrates it.
 * @throws OctoError OCTO_STATE_*, OCTO_DATABASE_*, OCTO_LEDGER_NEWER
 */
export async function openDatabase(options: OpenLedgerOptions): Promise<OpenedDatabase> {
  const { logger, databaseUrl } = options;
  const clock = options.clock ?? systemClock;
  const state = await prepareStateFolder(options.stateFolder);
  await using opening = new AsyncDisposableStack();
  const place =
    databaseUrl !== undefined && databaseUrl !== ''
      ? placeOfUrl(databaseUrl)
      : opening.use(await EmbeddedPostgres.open({ folder: state.postgres, clock, logger }));
  const database = opening.use(new Database(place, { clock, logger }));
  await database.onClient(migrate);
  const opened = opening.move();
  return { database, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function placeOfUrl(url: string): DatabasePlace {
  const { host, database } = clientOf(url);
  return {
    config: { connectionString: url },
    description: `the PostgreSQL of DATABASE_URL (${host}, database ${database ?? ''})`,
    firstPatienceMs: 5_000,
    revive: async () => undefined,
  };
}

function clientOf(url: string): Client {
  try {
    if (/^postgres(ql)?:\/\//.test(url)) return new Client({ connectionString: url });
  } catch {
    // Not as the cause: it would quote the URL with its password.
  }
  throw new OctoError(
    'OCTO_DATABASE_URL',
    'DATABASE_URL is not right; write it as postgres://user:password@host:5432/database',
  );
}
