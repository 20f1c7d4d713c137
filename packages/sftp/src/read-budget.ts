/**
 * How many reads may wait for their answer at the same time, over all readers of one session, and how many bytes they may
 * ask for. Servers that refuse so many reads get fewer: the limit halves, down to one.
 */
export interface BudgetLimits {
  readonly reads: number;
  readonly bytes: number;
}

export class ReadBudget {
  #most: number;
  #limit: number;
  #mostBytes: number;
  #outstanding = 0;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();

  constructor({ reads, bytes }: BudgetLimits) {
    this.#most = Math.max(1, reads);
    this.#limit = this.#most;
    this.#mostBytes = bytes;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Allows more, never less; a limit that the server has taught us stays. */
  raise({ reads, bytes }: BudgetLimits): void {
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    if (reads <= this.#most) return;
    if (this.#limit === this.#most) this.#limit = reads;
    this.#most = reads;
  }

  /** Takes one read from the budget, or says no and calls back once when there may be one. */
  take(bytes: number, again: () => void): boolean {
    if (this.#hasRoom) {
      this.#outstanding++;
      this.#bytes += bytes;
      return true;
    }
    this.#waiting.add(again);
    return false;
  }

  /**
   * Gives one read back, and calls back once when there is a quarter of the budget to take: requests that are sent
   * together cost a fraction of those sent one by one. Who has waited longest comes first.
   */
  giveBack(bytes: number, again: (() => void) | undefined): void {
    this.#outstanding--;
    this.#bytes -= bytes;
    if (again !== undefined) this.#waiting.add(again);
    const reads = this.#limit - this.#outstanding >= this.#limit / 4;
    if (this.#outstanding === 0 || (reads && this.#bytes <= this.#mostBytes * 0.75)) this.#wake();
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

  /** The last read may go beyond: so there is always room for one, however large. */
  get #hasRoom(): boolean {
    return (
      this.#outstanding === 0 || (this.#outstanding < this.#limit && this.#bytes < this.#mostBytes)
    );
  }

  /** Whoever is woken takes reads, waits again at the end of the line, or has nothing left to ask. */
  #wake(): void {
    while (this.#hasRoom) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      this.#waiting.delete(first);
      first();
    }
  }
}
