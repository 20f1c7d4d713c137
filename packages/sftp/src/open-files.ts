/**
 * How many files are open at the same time: as many as are asked for, until the server refuses one while it has others
 * open. Then it gets fewer: half as many each time, down to one.
 */
export class OpenFiles {
  #open = 0;
  #most = Infinity;
  readonly #waiting = new Set<() => void>();

  /** Resolves with how many are open then, this one among them. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<number> {
    while (this.#open >= this.#most) await this.#left(signal);
    this.#open++;
    return this.#open;
  }

  giveBack(): void {
    this.#open--;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /**
   * The server refused to open a file when so many were open, this one among them; it has been given back. Whether fewer may
   * help. If not, it was not about their number, and there may be as many as before.
   */
  lower(open: number): boolean {
    if (open > 1) this.#most = Math.min(this.#most, Math.max(1, Math.floor(open / 2)));
    else this.#most = Infinity;
    return open > 1;
  }

  async #left(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = (): void => {
      this.#waiting.delete(resolve);
      reject(signal.reason as Error);
    };
    this.#waiting.add(resolve);
    signal.addEventListener('abort', stop, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', stop));
  }
}
