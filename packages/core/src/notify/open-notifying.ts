import { type OpenPlaceOptions, openPlace } from '../ledger/open-place.ts';
import type { WebhookConfig } from '../manifest/manifest.ts';
import { Notifying, type NotifyingOptions } from './notifying.ts';
import { webhookOf } from './webhook.ts';

interface OpenNotifyingOptions
  extends OpenPlaceOptions, Omit<NotifyingOptions, 'place' | 'webhooks' | 'clock' | 'logger'> {
  readonly webhooks: readonly WebhookConfig[];
}

/**
 * Tells webhooks what happens, until it is disposed, from the database of a state folder's ledger, which must be migrated.
 * @throws OctoError OCTO_STATE_*, OCTO_DATABASE_*
 */
export async function openNotifying(options: OpenNotifyingOptions): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  if (options.webhooks.length > 0) {
    const place = opening.use(await openPlace(options));
    const webhooks = options.webhooks.map(webhookOf);
    opening.use(await Notifying.open({ ...options, place, webhooks })).begin();
  }
  return opening.move();
}
