/**
 * How many reads may wait for their answer at the same time, over all readers of one session. Servers that refuse so many
 * get fewer: the limit halves, down to one.
 */
export class ReadBudget {
  readonly #most: number;
  #limit: number;
  #outstanding = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#most = Math.max(1, limit);
    this.#limit = this.#most;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Takes one read from the budget, or says no and calls back once when there may be one. */
  take(again: () => void): boolean {
    if (this.#outstanding < this.#limit) {
      this.#outstanding++;
      return true;
    }
    this.#waiting.add(again);
    return false;
  }

  /**
   * Gives one read back, and calls back once when there is a quarter of the budget to take: requests that are sent
   * together cost a fraction of those sent one by one. Who has waited longest comes first.
   */
  giveBack(again: (() => void) | undefined): void {
    this.#outstanding--;
    if (again !== undefined) this.#waiting.add(again);
    if (this.#outstanding === 0 || this.#limit - this.#outstanding >= this.#limit / 4) this.#wake();
  }

  /** Stops waiting. */
  forget(again: () => void): void {
    if (this.#waiting.delete(again)) this.#wake();
  }

  /**
   * The server refused a read that was sent under this limit. Whether a smaller limit is left to try; if not, it was not
   * about the limit, which is restored.
   */
  lower(refusedUnder: number): boolean {
    if (refusedUnder === 1) {
      this.#limit = this.#most;
      return false;
    }
    if (refusedUnder === this.#limit) this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    return true;
  }

  /** Whoever is woken takes reads, waits again at the end of the line, or has nothing left to ask. */
  #wake(): void {
    while (this.#outstanding < this.#limit) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      this.#waiting.delete(first);
      first();
    }
  }
}
