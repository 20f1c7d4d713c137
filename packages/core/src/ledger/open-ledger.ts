import type { Clock, Logger } from '@octo/plugin-api';
import { systemClock } from '../host/system-clock.ts';
import type { Ledger } from './ledger.ts';
import { openPlace } from './open-place.ts';
import { PostgresLedger } from './postgres-ledger.ts';

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
