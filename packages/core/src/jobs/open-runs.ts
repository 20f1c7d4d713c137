import { type OpenPlaceOptions, openPlace } from '../ledger/open-place.ts';
import { PostgresRuns } from './postgres-runs.ts';
import type { RunQueue } from './run-queue.ts';

export interface OpenRunsOptions extends OpenPlaceOptions {
  /** The name of this host, the same after a restart; without it this process only asks and watches. */
  readonly host?: string;
}

/**
 * Opens the runs of a state folder, in the database of its ledger.
 * @throws OctoError OCTO_STATE_*, OCTO_DATABASE_*, OCTO_LEDGER_NEWER
 */
export async function openRuns(options: OpenRunsOptions): Promise<RunQueue> {
  const { clock, logger, host } = options;
  await using opening = new AsyncDisposableStack();
  const place = opening.use(await openPlace(options));
  const runs = await PostgresRuns.open(place, { clock, logger, host });
  opening.move();
  return runs.closing(place);
}
