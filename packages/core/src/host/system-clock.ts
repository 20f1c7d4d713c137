import { setTimeout as timeout } from 'node:timers/promises';
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

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await timeout(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
