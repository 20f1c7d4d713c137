import type { Clock } from '@octo/plugin-api';

const windowMs = 5000;

/** Bytes a second over the last few seconds. */
export class TransferRate {
  readonly #clock: Clock;
  #firstAt: number | undefined;
  #arrivals: { readonly at: number; readonly bytes: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(bytes: number): void {
    const at = this.#clock.monotonic();
    this.#firstAt ??= at;
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
    // Before the first byte there was connecting, not a slow transfer.
    const elapsedMs = Math.max(250, now - (this.#firstAt ?? now));
    const seconds = Math.min(windowMs, elapsedMs) / 1000;
    return bytes / seconds;
  }
}
