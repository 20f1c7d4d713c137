import type { Clock, Logger } from '@octo/plugin-api';
import { systemClock } from '../host/system-clock.ts';
import type { Ledger } from './ledger.ts';
import { openPlace } from './open-place.ts';
import { Database } from './postgres/database.ts';
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
  const { logger, run } = options;
  const clock = options.clock ?? systemClock;
  await using opening = new AsyncDisposableStack();
  const place = opening.use(await openPlace({ ...options, clock }));
  const ledger = await PostgresLedger.open(place, { clock, logger, run });
  opening.move();
  return ledger.closing(place);
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
  const { logger } = options;
  const clock = options.clock ?? systemClock;
  await using opening = new AsyncDisposableStack();
  const place = opening.use(await openPlace({ ...options, clock }));
  const database = opening.use(new Database(place, { clock, logger }));
  await database.onClient(migrate);
  const opened = opening.move();
  return { database, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
