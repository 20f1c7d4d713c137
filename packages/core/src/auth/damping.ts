import type { Clock } from '@octo/plugin-api';

/** Wrong credentials that an address, or a key's id from one address, may show at once; one more every few seconds. */
const BURST = 20;
const REFILL_MS = 3_000;
const MOST = 20_000;

/** Slows down who guesses: each failure takes from a bucket that fills up again slowly. */
export class Damping {
  readonly #clock: Clock;
  /** Failures that still count, at a time of the monotonic clock. */
  readonly #buckets = new Map<string, { readonly failures: number; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns milliseconds until another try is answered; 0 when it is now */
  waitMs(who: string): number {
    return Math.max(0, Math.ceil((this.#failures(who) - (BURST - 1)) * REFILL_MS));
  }

  failed(who: string): void {
    const failures = this.#failures(who) + 1;
    this.#buckets.delete(who);
    if (this.#buckets.size >= MOST) this.#buckets.delete(this.#buckets.keys().next().value!);
    this.#buckets.set(who, { failures, atMs: this.#clock.monotonic() });
  }

  #failures(who: string): number {
    const bucket = this.#buckets.get(who);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.failures - (this.#clock.monotonic() - bucket.atMs) / REFILL_MS);
  }
}
