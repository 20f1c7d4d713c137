import { attemptCount, type Delivery, type DeliveryEvent } from './delivery.ts';

/**
 * A delivery as programs are shown it, by the API and by `--json`: plain names and values, no number that JSON cannot hold;
 * what is not known is absent.
 */
export function deliveryJson(delivery: Delivery): Record<string, unknown> {
  const { verified } = delivery;
  return {
    id: delivery.id,
    pipeline: delivery.pipeline,
    sink: delivery.sink,
    path: delivery.path,
    name: delivery.name,
    size: delivery.size,
    modifiedAt: timeText(new Date(delivery.mtimeMs)),
    location: delivery.location,
    state: delivery.state,
    reason: delivery.reason,
    duplicateOf: delivery.duplicateOf,
    key: delivery.objectKey,
    attempt: Number(attemptCount(delivery.attempt)),
    bytes: verified?.plainBytes,
    sha256: verified?.plainSha256.toString('hex'),
    rawSha256: verified?.rawSha256.toString('hex'),
    etag: delivery.etag,
    discoveredAt: timeText(delivery.discoveredAt),
    verifiedAt: timeText(delivery.verifiedAt),
    committedAt: timeText(delivery.committedAt),
    notBefore: timeText(delivery.notBefore),
    facts: delivery.facts,
  };
}

/** A line of a delivery's life. */
export function eventJson({
  at,
  run,
  attempt,
  event,
  detail,
}: DeliveryEvent): Record<string, unknown> {
  return { at: at.toISOString(), run, attempt: Number(attempt), event, detail };
}

/** A vendor may claim a time that no calendar has. */
function timeText(at: Date | undefined): string | undefined {
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
