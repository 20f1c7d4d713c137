import { openDatabase, type OpenLedgerOptions } from '../ledger/open-ledger.ts';
import type { Breakers } from './breakers.ts';
import type { Paces } from './paces.ts';
import { PostgresBreakers } from './postgres-breakers.ts';
import { PostgresPaces } from './postgres-paces.ts';

/** What all hosts of one database know of vendors and sinks together. */
export interface Policies extends AsyncDisposable {
  readonly breakers: Breakers;
  readonly paces: Paces;
}

/**
 * Opens it in the database of the ledger.
 * @throws OctoError OCTO_STATE_*, OCTO_DATABASE_*, OCTO_LEDGER_NEWER
 */
export async function openPolicy(options: Omit<OpenLedgerOptions, 'run'>): Promise<Policies> {
  await using opening = new AsyncDisposableStack();
  const { database } = opening.use(await openDatabase(options));
  const opened = opening.move();
  return {
    breakers: new PostgresBreakers(database),
    paces: new PostgresPaces(database),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
