import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '@octo/plugin-api';

/** The machine's time, for whoever starts a simulator without a clock of their own. Its sleeps keep no process alive. */
export const machineClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    await pause(ms, undefined, { ref: false, ...(signal !== undefined && { signal }) });
  },
};
