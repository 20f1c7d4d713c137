import type { Lifecycle } from './lifecycle.ts';

/**
 * A place where files become visible to their users: a bucket, a folder.
 *
 * Bytes are staged where no reader can see them and become visible in one atomic, conditional step. What makes the
 * host's promises hold is exactly this:
 *
 * 1. Nothing is visible before `commit`.
 * 2. `commit` makes the object visible only if nothing is at the key — atomically, also against other processes.
 * 3. After `abort` has resolved, that upload can never become visible (but see {@link Sink.completeGraceMs}).
 * 4. `head` sees what was committed before it was called, with the metadata given to `stage`.
 *
 * A sink does not retry a `commit` and does not interpret an unclear answer: it throws, and the host looks.
 * `sinkSuite` of `@octo/plugin-testing` holds a sink to all of it.
 */
export interface Sink extends Lifecycle {
  /** The place as resolved, such as `s3://bucket/prefix`: two instances with the same place share their keys. */
  readonly place: string;
  /** `single-writer` when point 2 holds only while nobody else writes; the host then takes a lock. */
  readonly commits: 'conditional' | 'single-writer';
  /**
   * How long after a `commit` whose answer was lost the object may still appear although the upload was aborted, in
   * milliseconds. 0 when `abort` is final.
   */
  readonly completeGraceMs: number;
  /** Objects of up to this many bytes are verified in memory before they are staged. At most one part. */
  readonly smallBytes: number;
  /**
   * Begins an upload. The id must be storable and enough for `abort` in another process. The host stores it before the
   * first `write`; nothing that needs cleaning up may exist before that.
   * @throws PluginError `auth`, `network`, `rate_limit`, `provider_down`, `not_found` (bucket or folder)
   */
  stage(object: ObjectToStage, signal: AbortSignal): Promise<Staged>;
  /**
   * Resolves when the answer is certain: the upload is dead, was never known, or was completed earlier.
   * @throws PluginError when it could not be told; the host calls again
   */
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** The object at the key, or `undefined`. Must be consistent with every finished `commit`. */
  head(key: string, signal: AbortSignal): Promise<VisibleObject | undefined>;
  /** Attaches facts to a committed object, as far as the store can: they help to rebuild a lost ledger. Repeatable. */
  annotate?(
    key: string,
    facts: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<void>;
  /** Uploads of this place that were begun and neither committed nor aborted. For the sweeper. */
  uploads?(signal: AbortSignal): AsyncIterable<Upload & { readonly startedMs: number }>;
}

export interface ObjectToStage {
  /** Slash-separated, relative to the place; no empty, `.` or `..` segment. */
  readonly key: string;
  /** Names in lower case, values in printable ASCII; together under 2 KiB. Comes back from `head`. */
  readonly metadata: { readonly [name: string]: string };
  /** The plain size in bytes if it is known, else an estimate for choosing part sizes. */
  readonly sizeHint?: number;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
}

/** An upload in progress. Disposing it releases local resources; it neither commits nor aborts. */
export interface Staged extends AsyncDisposable {
  readonly id: string;
  /**
   * Takes the next bytes; resolves when more are welcome. Chunks may be kept until the commit: the host does not reuse
   * them.
   * @throws PluginError `not_found` when somebody aborted the upload, `network`, `auth`, `provider_down`, `rate_limit`
   */
  write(chunk: Uint8Array, signal: AbortSignal): Promise<void>;
  /**
   * Makes the object visible. May be called again after it threw.
   * @throws PluginError `integrity` the store holds other bytes than the proof says; `auth` not allowed;
   *   `network`, `provider_down`, `rate_limit` the outcome is unknown: the host looks with `head`, then repeats
   */
  commit(proof: Proof, signal: AbortSignal): Promise<CommitAnswer>;
}

/** What the host has computed over the bytes it wrote. A sink hands it to the store where the store can check it. */
export interface Proof {
  readonly bytes: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  /** CRC-64/NVME, 8 bytes, big-endian. */
  readonly crc64nvme: Uint8Array;
  /** Replace the object with this etag instead of requiring an empty place. */
  readonly replace?: { readonly etag: string };
}

export type CommitAnswer =
  | { readonly outcome: 'committed'; readonly etag?: string; readonly versionId?: string }
  /** Something is at the key already (or, with `replace`, something else than expected). */
  | { readonly outcome: 'exists' }
  /** The upload is not known (any more): aborted by somebody, or completed by an earlier call. */
  | { readonly outcome: 'gone' }
  /** Another conditional request was in the way; this upload cannot be used again. */
  | { readonly outcome: 'conflict' };

export interface VisibleObject {
  readonly bytes: number;
  /** As given to `stage`; empty for an object that somebody else put there. */
  readonly metadata: { readonly [name: string]: string };
  readonly etag?: string;
  readonly versionId?: string;
  /** Where the store can tell. */
  readonly sha256?: Uint8Array;
  readonly crc64nvme?: Uint8Array;
}
