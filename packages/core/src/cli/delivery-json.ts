import type { Delivery, DeliveryEvent } from '../ledger/delivery.ts';

/** A delivery as `--json` shows it: plain names and values, no numbers that JSON cannot hold. */
export function deliveryJson(delivery: Delivery): Record<string, unknown> {
  const { verified } = delivery;
  return {
    id: delivery.id,
    pipeline: delivery.pipeline,
    sink: delivery.sink,
    path: delivery.path,
    name: delivery.name,
    size: delivery.size,
    modifiedAt: new Date(delivery.mtimeMs).toISOString(),
    location: delivery.location,
    state: delivery.state,
    reason: delivery.reason ?? null,
    duplicateOf: delivery.duplicateOf ?? null,
    key: delivery.objectKey ?? null,
    attempt: Number(delivery.attempt),
    bytes: verified?.plainBytes ?? null,
    sha256: verified?.plainSha256.toString('hex') ?? null,
    rawSha256: verified?.rawSha256.toString('hex') ?? null,
    etag: delivery.etag ?? null,
    discoveredAt: delivery.discoveredAt.toISOString(),
    verifiedAt: delivery.verifiedAt?.toISOString() ?? null,
    committedAt: delivery.committedAt?.toISOString() ?? null,
    notBefore: delivery.notBefore?.toISOString() ?? null,
    facts: delivery.facts,
  };
}

/** A line of a delivery's life. */
export function eventJson({ at, run, attempt, event, detail }: DeliveryEvent): unknown {
  return {
    at: at.toISOString(),
    run: run ?? null,
    attempt: Number(attempt),
    event,
    detail: detail ?? null,
  };
}
