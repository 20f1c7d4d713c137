import { isPluginError, type Clock } from '@octo/plugin-api';
import { responseTo } from './error-response.ts';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;

export interface RetryOptions {
  readonly attempts: number;
  readonly clock: Clock;
  /** 0 ≤ random() < 1, for the jitter. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onRetry?: (error: unknown, delayMs: number) => void;
}

/**
 * Runs `operation` until it succeeds, fails with an error that the same call cannot mend now, or `attempts` are used up;
 * then it throws the last error. Waits with full jitter, or as long as the other side asked for.
 */
export async function retry<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isWorthAnother(error) || attempt >= options.attempts) throw error;
      const delayMs = retryDelayMs(error, attempt, options.random);
      options.onRetry?.(error, delayMs);
      await options.clock.sleep(delayMs, options.signal);
    }
  }
}

/** Whether the same call may succeed shortly. Who asks to be left alone for longer gets it: then the run waits instead. */
export function isWorthAnother(error: unknown): boolean {
  return responseTo(error).retry && (wishOf(error) ?? 0) <= LONGEST_DELAY_MS;
}

/** How long to wait before attempt `attempt + 1`, in milliseconds. */
export function retryDelayMs(error: unknown, attempt: number, random: () => number): number {
  const asked = wishOf(error);
  if (asked !== undefined && asked > 0) return Math.min(asked, LONGEST_DELAY_MS);
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS) * (0.5 + random() / 2);
}

function wishOf(error: unknown): number | undefined {
  return isPluginError(error) ? error.retryAfterMs : undefined;
}
