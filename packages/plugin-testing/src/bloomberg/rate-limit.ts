/** So many calls in any sixty seconds; the next one is too many. */
export class RateLimit {
  readonly #perMinute: number;
  #passed: number[] = [];

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Counts a call unless it is too many. */
  passes(nowMs: number): boolean {
    this.#passed = this.#passed.filter((one) => one > nowMs - 60_000);
    if (this.#passed.length >= this.#perMinute) return false;
    this.#passed.push(nowMs);
    return true;
  }
}
