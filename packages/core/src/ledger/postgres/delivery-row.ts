import type { Delivery, DeliveryState, VerifiedContent } from '../delivery.ts';

/** The columns of a delivery `d`, as {@link toDelivery} reads them. */
export const deliveryColumns = [
  'id, pipeline, sink, path, size, mtime, name, location, group_name, wanted_key',
  'discovered, discovered_at, state, reason, duplicate_of, attempt, owner, lease_until, not_before',
  'waiting_on, object_key, replaces, upload_id, upload_token, held_raw',
  'raw_sha256, plain_sha256, plain_bytes, plain_crc64, etag, version_id, verified_at, committed_at, facts',
]
  .join(', ')
  .replace(/\w+/g, 'd.$&');

/** As node-postgres gives it: bigint as text, bytea as Buffer. */
export interface DeliveryRow {
  readonly id: string;
  readonly pipeline: string;
  readonly sink: string;
  readonly path: Buffer;
  readonly size: string;
  readonly mtime: number;
  readonly name: Buffer;
  readonly location: Buffer;
  readonly group_name: string | null;
  readonly wanted_key: string;
  readonly discovered: string;
  readonly discovered_at: Date;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly duplicate_of: string | null;
  readonly attempt: string;
  readonly owner: string | null;
  readonly lease_until: Date | null;
  readonly not_before: Date | null;
  readonly waiting_on: string | null;
  readonly object_key: string | null;
  readonly replaces: string | null;
  readonly upload_id: string | null;
  readonly upload_token: string | null;
  readonly held_raw: Buffer | null;
  readonly raw_sha256: Buffer | null;
  readonly plain_sha256: Buffer | null;
  readonly plain_bytes: string | null;
  readonly plain_crc64: Buffer | null;
  readonly etag: string | null;
  readonly version_id: string | null;
  readonly verified_at: Date | null;
  readonly committed_at: Date | null;
  readonly facts: { readonly [name: string]: unknown };
}

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    pipeline: row.pipeline,
    sink: row.sink,
    path: row.path.toString('utf8'),
    name: row.name.toString('utf8'),
    size: Number(row.size),
    mtimeMs: row.mtime,
    location: row.location.toString('utf8'),
    group: row.group_name ?? undefined,
    wantedKey: row.wanted_key,
    discovered: BigInt(row.discovered),
    discoveredAt: row.discovered_at,
    state: row.state,
    reason: row.reason ?? undefined,
    duplicateOf: row.duplicate_of ?? undefined,
    attempt: BigInt(row.attempt),
    owner: row.owner ?? undefined,
    leaseUntil: row.lease_until ?? undefined,
    notBefore: row.not_before ?? undefined,
    waitingOn: row.waiting_on ?? undefined,
    objectKey: row.object_key ?? undefined,
    replaces: row.replaces ?? undefined,
    uploadId: row.upload_id ?? undefined,
    uploadToken: row.upload_token ?? undefined,
    heldRaw: row.held_raw ?? undefined,
    verified: verifiedContent(row),
    etag: row.etag ?? undefined,
    versionId: row.version_id ?? undefined,
    verifiedAt: row.verified_at ?? undefined,
    committedAt: row.committed_at ?? undefined,
    facts: row.facts,
  };
}

function verifiedContent(row: DeliveryRow): VerifiedContent | undefined {
  const { raw_sha256, plain_sha256, plain_bytes, plain_crc64 } = row;
  if (!raw_sha256 || !plain_sha256 || plain_bytes === null || !plain_crc64) return undefined;
  return {
    rawSha256: raw_sha256,
    plainSha256: plain_sha256,
    plainBytes: Number(plain_bytes),
    plainCrc64: plain_crc64,
  };
}
