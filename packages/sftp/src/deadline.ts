/** A promise that settles in time, whatever the work does. */
import type { Clock } from '@octo/plugin-api';

export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  /** What to reject with when the time is over. */
  readonly late: () => Error;
  readonly signal: AbortSignal;
}

/**
 * Rejects with `late()` after `ms` milliseconds, with `signal.reason` when aborted, else does as the work does. The work
 * is given a signal that is aborted as soon as nobody waits for it any more.
 */
export async function withDeadline<T>(
  { clock, ms, late, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const timer = clock.sleep(ms, over.signal).then(() => {
    throw late();
  });
  const aborted = rejection(signal, over.signal);
  try {
    return await Promise.race([work(AbortSignal.any([signal, over.signal])), timer, aborted]);
  } finally {
    over.abort();
  }
}

function rejection(signal: AbortSignal, over: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason as Error), {
    once: true,
    signal: over,
  });
  return promise;
}
