import type { Clock } from '@octo/plugin-api';

/** Longer than any pause between two tries, shorter than any deadline. */
const LONGEST_PAUSE_MS = 20_000;

/** Pauses are over at once and remembered; deadlines never come. */
export class ImpatientClock implements Clock {
  readonly pausesMs: number[] = [];

  now(): number {
    return Date.UTC(2026, 0, 1);
  }

  monotonic(): number {
    return 0;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms <= LONGEST_PAUSE_MS) {
      this.pausesMs.push(ms);
      return;
    }
    await new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }
}
