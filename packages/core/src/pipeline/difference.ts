import type { VisibleObject } from '@octo/plugin-api';
import type { Delivery } from '../ledger/delivery.ts';
import { deliveryId } from '../ledger/delivery-id.ts';
import { hashFacts, isObjectOf, mismatch } from './object-metadata.ts';

/**
 * How a row of the ledger and its object can disagree:
 *
 * - `row` the ledger never writes such a row; the sink need not be asked.
 * - `key` the sink takes no such key.
 * - `missing` nothing lies at the key.
 * - `stranger` what lies there is not this delivery's.
 * - `size`, `content` it is, and has other bytes than were verified.
 * - `version` it has the same bytes, and was written anew since.
 */
export type DifferenceKind =
  'row' | 'key' | 'missing' | 'stranger' | 'size' | 'content' | 'version';

export interface Difference {
  readonly kind: DifferenceKind;
  /** May hold what the ledger or the sink was made to say: escape it before it is shown. */
  readonly reason: string;
}

/** What a row alone shows to be wrong. */
export function wrongRow(delivery: Delivery): Difference | undefined {
  const reason = wrongIn(delivery);
  return reason === undefined ? undefined : { kind: 'row', reason };
}

function wrongIn(delivery: Delivery): string | undefined {
  const { id, state, objectKey, verified, heldRaw } = delivery;
  if (deliveryId(delivery, delivery) !== id)
    return 'its id is not that of its pipeline, sink, path, size and time';
  if (state !== 'COMMITTED' && state !== 'CLEANED') return `it is ${state} and has a key`;
  if (objectKey === undefined) return 'it was delivered and has no key';
  if (verified === undefined) return 'it was delivered and has no size or hash';
  if (heldRaw?.equals(verified.rawSha256) !== true)
    return 'it was delivered with another content than it holds';
  return undefined;
}

/** What lies at its key, held against a row that {@link wrongRow} finds nothing wrong with. */
export function differenceAt(
  delivery: Delivery,
  object: VisibleObject | undefined,
): Difference | undefined {
  if (object === undefined) return { kind: 'missing', reason: 'nothing lies at its key' };
  if (!isObjectOf(delivery.id, object)) return { kind: 'stranger', reason: ownerOf(object) };
  const wrong = mismatch(object, delivery, undefined) ?? otherHash(delivery, object);
  if (wrong !== undefined) {
    const isShorter = object.bytes !== delivery.verified?.plainBytes;
    return { kind: isShorter ? 'size' : 'content', reason: wrong };
  }
  const anew = otherVersion(delivery, object);
  return anew === undefined ? undefined : { kind: 'version', reason: anew };
}

function ownerOf({ metadata }: VisibleObject): string {
  const owner = metadata['octo-delivery'];
  return owner === undefined
    ? 'what lies at its key names no delivery: it was changed, or somebody else put it there'
    : `what lies at its key is the object of delivery ${owner}`;
}

/** A small file carries the hashes that it was verified with. */
function otherHash({ verified }: Delivery, { metadata }: VisibleObject): string | undefined {
  const facts = Object.entries(verified === undefined ? {} : hashFacts(verified));
  const other = facts.find(([name, hash]) => (metadata[name] ?? hash) !== hash);
  return other && `its ${other[0]} is another`;
}

function otherVersion({ etag, versionId }: Delivery, object: VisibleObject): string | undefined {
  if (etag !== undefined && object.etag !== undefined && etag !== object.etag)
    return 'its etag is another';
  if (versionId !== undefined && object.versionId !== undefined && versionId !== object.versionId)
    return 'its version is another';
  return undefined;
}
