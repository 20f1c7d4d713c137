import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/**
 * Names a service of the host and carries its type. The id is a versioned string, so that a token of one copy of this
 * package means the same to another copy, and crosses a process boundary.
 */
export interface Token<T> {
  readonly id: string;
  /** Exists for the type checker only; never read. */
  readonly $type?: T;
}

/** What a plugin asks for: names of its own choice, each with the token of the wanted service. */
export type Wanted = { readonly [name: string]: Token<unknown> };

/** What it gets: the same names, each with the service. */
export type Given<W extends Wanted> = {
  readonly [K in keyof W]: W[K] extends Token<infer T> ? T : never;
};

/** Time, as the host tells it. Ask for it instead of calling `Date.now` or `setTimeout`, and tests can steer it. */
export const CLOCK: Token<Clock> = { id: 'octo:clock@1' };

/** The instance's own logger; the same that `create` is given without asking. */
export const LOGGER: Token<Logger> = { id: 'octo:logger@1' };

/**
 * A private folder of this instance that outlives the process, created before `start` with permissions for its owner
 * only. An absolute path.
 */
export const STATE_FOLDER: Token<string> = { id: 'octo:state-folder@1' };

/**
 * Returns when everything that was written into the file or folder at the path survives a power cut, as `fsync` does;
 * rejects with the error of `node:fs`. Node takes `fsync` away from a process that may not touch everything, so the host
 * does it: for paths that the instance may write.
 */
export type SyncToDisk = (path: string) => Promise<void>;

/** Durability on a local disk, for sinks that write files. */
export const SYNC_TO_DISK: Token<SyncToDisk> = { id: 'octo:sync-to-disk@1' };

/** What the operator allows this instance to ask of its vendor, over all hosts (`policy.rate`). */
export interface RateLimit {
  /** Resolves when one more request may be made; at once when there is no limit. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void>;
}

/**
 * For plugins that make several requests in one call of the host, such as pages of a listing: one `take` before each but the
 * first, which the host has counted.
 */
export const RATE_LIMIT: Token<RateLimit> = { id: 'octo:rate-limit@1' };
