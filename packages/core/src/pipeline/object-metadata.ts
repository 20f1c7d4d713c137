import { createHash } from 'node:crypto';
import type { VisibleObject } from '@octo/plugin-api';
import type { Delivery, VerifiedContent } from '../ledger/delivery.ts';

/**
 * What every object carries, so that anybody can tell whose it is: fixed when the upload begins, because S3 takes
 * metadata at CreateMultipartUpload only. A small file is verified before, and carries its hashes, too.
 */
export function objectMetadata(
  delivery: Delivery,
  token: string,
  verified?: VerifiedContent,
): Record<string, string> {
  const metadata: Record<string, string> = {
    'octo-v': '1',
    'octo-delivery': delivery.id,
    'octo-token': token,
    'octo-source': `${pathHash(delivery.path)} ${delivery.size} ${delivery.mtimeMs}`,
  };
  return verified === undefined ? metadata : { ...metadata, ...hashFacts(verified) };
}

/** The hashes that are only known after a streamed upload began; attached to the object once it is committed. */
export function hashFacts(verified: VerifiedContent): Record<string, string> {
  return {
    'octo-raw-sha256': verified.rawSha256.toString('hex'),
    'octo-plain-sha256': verified.plainSha256.toString('hex'),
  };
}

/** Whose object it is: `ours` by the delivery's id and nothing else — not by existing, not by its size or etag. */
export function isObjectOf(deliveryId: string, object: VisibleObject): boolean {
  return object.metadata['octo-delivery'] === deliveryId;
}

/** Why an object that is ours cannot be the one that this delivery verified; `undefined` when it can. */
export function mismatch(
  object: VisibleObject,
  delivery: Delivery,
  token: string | undefined,
): string | undefined {
  const { verified } = delivery;
  if (verified === undefined) return 'it is visible although it was never verified';
  if (token !== undefined && object.metadata['octo-token'] !== token)
    return 'it was uploaded by another attempt';
  if (object.bytes !== verified.plainBytes)
    return `it has ${object.bytes} bytes instead of ${verified.plainBytes}`;
  if (differs(object.crc64nvme, verified.plainCrc64)) return 'its CRC-64 is another';
  if (differs(object.sha256, verified.plainSha256)) return 'its SHA-256 is another';
  return undefined;
}

function differs(seen: Uint8Array | undefined, expected: Buffer): boolean {
  return seen !== undefined && !expected.equals(seen);
}

function pathHash(path: string): string {
  return createHash('sha256').update(path, 'utf8').digest('hex').slice(0, 16);
}
