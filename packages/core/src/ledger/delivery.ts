/**
 * A delivery: one source version on its way to one sink, as the ledger remembers it.
 * States, columns and transitions are those of docs/guarantees.md.
 */
export type OpenState = 'DISCOVERED' | 'CLAIMED' | 'STREAMING' | 'VERIFIED' | 'WAITING';
export type FinalState = 'COMMITTED' | 'CLEANED' | 'DUPLICATE_OF' | 'QUARANTINED' | 'SUPERSEDED';
export type DeliveryState = OpenState | FinalState;

/** Where a delivery belongs: the pipeline, and the sink's place as resolved (not the instance's name). */
export interface Scope {
  readonly pipeline: string;
  readonly sink: string;
}

/** One version of a file at the vendor: path, size and mtime are its identity. */
export interface SourceVersion {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Where the bytes lie now: the path itself, or a place in the vendor's archive. */
  readonly location: string;
}

export interface Delivery extends Scope, SourceVersion {
  /** Hex SHA-256 of pipeline, sink, path, size and mtime: the same in every ledger. See `delivery-id.ts`. */
  readonly id: string;
  /** From a sequence, anew at every rediscovery. */
  readonly discovered: bigint;
  readonly state: DeliveryState;
  readonly reason: string | undefined;
  readonly duplicateOf: string | undefined;
  /** The fence: every claim raises it, every update names it. */
  readonly attempt: bigint;
  readonly owner: string | undefined;
  readonly leaseUntil: Date | undefined;
  readonly notBefore: Date | undefined;
  readonly waitingOn: string | undefined;
  /** The key by the pipeline's template at the time of discovery. */
  readonly wantedKey: string;
  readonly objectKey: string | undefined;
  readonly uploadId: string | undefined;
  readonly uploadToken: string | undefined;
  /** The committed delivery whose object this one will replace (`onReissue: overwrite`). */
  readonly replaces: string | undefined;
  readonly heldRaw: Buffer | undefined;
  readonly verified: VerifiedContent | undefined;
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  readonly discoveredAt: Date;
  readonly verifiedAt: Date | undefined;
  readonly committedAt: Date | undefined;
  /** What steps and inspections found: row counts, totals, warnings. */
  readonly facts: { readonly [name: string]: unknown };
  readonly group: string | undefined;
}

/** What the end of the stream proved. */
export interface VerifiedContent {
  readonly rawSha256: Buffer;
  readonly plainSha256: Buffer;
  readonly plainBytes: number;
  readonly plainCrc64: Buffer;
}

/** Attempt numbers count from an epoch's beginning (schema/0001-deliveries.ts); people are shown the count. */
export function attemptCount(attempt: bigint): bigint {
  return attempt & ATTEMPTS_OF_AN_EPOCH;
}

const ATTEMPTS_OF_AN_EPOCH = (1n << 20n) - 1n;

/** One line of a delivery's life, for `octo-host files show`. */
export interface DeliveryEvent {
  readonly at: Date;
  readonly run: string | undefined;
  readonly attempt: bigint;
  readonly event: string;
  readonly detail: string | undefined;
}
