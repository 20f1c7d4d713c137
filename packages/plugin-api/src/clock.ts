/** The host's time. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number;
  /** A clock that never goes backwards, milliseconds since an arbitrary moment. For durations and deadlines. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with `signal.reason` as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
