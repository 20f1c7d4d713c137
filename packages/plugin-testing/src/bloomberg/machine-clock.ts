import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '@octo/plugin-api';

/** The machine's time, for whoever starts a simulator without a clock of their own. Its sleeps keep no process alive. */
export const machineClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    const options = { ref: false, ...(signal !== undefined && { signal }) };
    for (let left = ms; left > 0; left -= MAX_TIMER_MS) {
      await pause(Math.min(left, MAX_TIMER_MS), undefined, options);
    }
  },
};

/** Longer timers fire at once. nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const MAX_TIMER_MS = 2 ** 31 - 1;
