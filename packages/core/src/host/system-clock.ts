import type { Clock } from '@octo/plugin-api';

/** The machine's own time. Everything else is given a clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    for (let left = ms; left > 0; left -= LONGEST_MS)
      await wait(Math.min(left, LONGEST_MS), signal);
  },
};

/** A longer delay does not fit into 32 bits and would end at once. nodejs.org/api/timers.html */
const LONGEST_MS = 2 ** 31 - 1;

/** By hand: what is mostly waited for is that nothing happens, and node's own makes an error with a stack each time. */
function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = (): void => {
    clearTimeout(timer);
    reject(signal?.reason as Error);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener('abort', stop);
    resolve();
  }, ms);
  signal?.addEventListener('abort', stop, { once: true });
  return promise;
}
