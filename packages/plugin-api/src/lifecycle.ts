/**
 * What every living plugin may have, whatever its kind. All of it is optional.
 *
 * The order is `create` (no I/O) → `start` → work → dispose. An instance is never restarted: the host creates a new
 * one. Disposal must be safe without `start`, and when it happens twice.
 */
export interface Lifecycle {
  /** Prepares for work. A vendor that is down is no reason to fail here: that is what runs and `health` are for. */
  start?(signal: AbortSignal): Promise<void>;
  /** Rejects with a {@link PluginError} when the instance could not do its work right now. Cheap, without effect. */
  health?(signal: AbortSignal): Promise<void>;
  /**
   * Walks through what must hold for this instance to work, one named step after the other, and stops at the first
   * that fails. For `octo-host check`. Leaves nothing behind.
   */
  diagnose?(signal: AbortSignal): AsyncIterable<Diagnosis>;
  /** Closes what is open; background work has ended when it resolves. */
  [Symbol.asyncDispose]?(): Promise<void>;
}

/** One step of {@link Lifecycle.diagnose}. */
export interface Diagnosis {
  /** A short name such as `resolve`, `connect`, `host key`, `login`, `list`. */
  readonly step: string;
  readonly outcome: 'passed' | 'failed' | 'warned';
  /** What was found, such as `127.0.0.1` or `3 files`. No secret. */
  readonly detail: string;
  /** What to do about it, when the outcome is not `passed`. */
  readonly remedy?: string;
  /** When the outcome is `failed`: the error, so that its type tells the exit code. */
  readonly error?: unknown;
}
