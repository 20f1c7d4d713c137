interface Runs<T> {
  readonly running: Promise<T>;
  next?: Promise<T>;
}

/**
 * Work that many ask for at the same time, such as a sync of one folder. Each is answered by a run that began after it had
 * asked, so it may rely on what it did before; all that ask while one run goes on share the next.
 */
export class SharedWork<T> {
  readonly #runs = new Map<string, Runs<T>>();

  run(name: string, work: () => Promise<T>): Promise<T> {
    const runs = this.#runs.get(name);
    if (runs === undefined) return this.#begin(name, work);
    runs.next ??= runs.running.then(
      () => this.#begin(name, work),
      () => this.#begin(name, work),
    );
    return runs.next;
  }

  #begin(name: string, work: () => Promise<T>): Promise<T> {
    const runs: Runs<T> = { running: this.#settled(name, work, () => runs) };
    this.#runs.set(name, runs);
    return runs.running;
  }

  /** The next one begins in place of this one, if somebody waits for it. */
  async #settled(name: string, work: () => Promise<T>, self: () => Runs<T>): Promise<T> {
    try {
      return await work();
    } finally {
      if (self().next === undefined) this.#runs.delete(name);
    }
  }
}
