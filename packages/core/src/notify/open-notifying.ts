import { type OpenPlaceOptions, openPlace } from '../ledger/open-place.ts';
import { Notifying, type NotifyingOptions } from './notifying.ts';

type OpenNotifyingOptions = OpenPlaceOptions & Omit<NotifyingOptions, 'place'>;

/**
 * Tells webhooks what happens, until it is disposed, from the database of a state folder's ledger, which must be migrated.
 * @throws OctoError OCTO_STATE_*, OCTO_DATABASE_*
 */
export async function openNotifying(options: OpenNotifyingOptions): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  if (options.webhooks.length > 0) {
    const place = opening.use(await openPlace(options));
    opening.use(await Notifying.open({ ...options, place })).begin();
  }
  return opening.move();
}
