import type { Clock } from '@octo/plugin-api';

const windowMs = 5000;

/** Bytes a second over the last few seconds. */
export class TransferRate {
  readonly #clock: Clock;
  readonly #startedAt: number;
  #arrivals: { readonly at: number; readonly bytes: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  add(bytes: number): void {
    const at = this.#clock.monotonic();
    const last = this.#arrivals.at(-1);
    // Arrivals within a tenth of a second are one, so that a fast transfer keeps a short list.
    if (last && at - last.at < 100) {
      this.#arrivals[this.#arrivals.length - 1] = { at: last.at, bytes: last.bytes + bytes };
    } else {
      this.#arrivals.push({ at, bytes });
    }
  }

  bytesPerSecond(): number {
    const now = this.#clock.monotonic();
    this.#arrivals = this.#arrivals.filter(({ at }) => now - at < windowMs);
    const bytes = this.#arrivals.reduce((sum, arrival) => sum + arrival.bytes, 0);
    const seconds = Math.min(windowMs, Math.max(250, now - this.#startedAt)) / 1000;
    return bytes / seconds;
  }
}
