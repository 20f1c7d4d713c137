import type { Clock } from '@octo/plugin-api';

export interface ThrottleOptions {
  readonly clock: Clock;
  /** How many may pass in a second, in the long run. */
  readonly perSecond: number;
  /** How many may pass at once after a quiet time. */
  readonly burst: number;
}

/**
 * A token bucket: Bloomberg counts requests for each credential and tells nobody how many are left, so we count, too.
 * Written as the moment at which the bucket will be full again, which needs no timer.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  #fullAtMs = -Infinity;

  constructor({ clock, perSecond, burst }: ThrottleOptions) {
    this.#clock = clock;
    this.#intervalMs = 1000 / perSecond;
    this.#toleranceMs = (burst - 1) * this.#intervalMs;
  }

  /** Resolves when the caller may go; callers go in the order in which they came. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const nowMs = this.#clock.monotonic();
    const fullAtMs = Math.max(this.#fullAtMs, nowMs);
    this.#fullAtMs = fullAtMs + this.#intervalMs;
    const waitMs = fullAtMs - this.#toleranceMs - nowMs;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }

  /** The other side asked to slow down: nobody goes for `ms` milliseconds, and then one after the other. */
  pause(ms: number): void {
    const emptyUntilMs = this.#clock.monotonic() + ms + this.#toleranceMs;
    this.#fullAtMs = Math.max(this.#fullAtMs, emptyUntilMs);
  }
}
