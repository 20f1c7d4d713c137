/** What may be begun now. */
export interface Room {
  readonly count: number;
  /** Only for files of at most this size. */
  readonly maxBytes?: number;
}

/** The files in flight of one run: so many at a time, whatever their size. */
export class Places {
  readonly #most: number;
  #taken = 0;
  #departures = 0;
  #left = Promise.withResolvers<void>();

  constructor(most: number) {
    this.#most = most;
  }

  get areEmpty(): boolean {
    return this.#taken === 0;
  }

  /** How many have left so far. */
  get departures(): number {
    return this.#departures;
  }

  /** `undefined` when there is none. */
  room(): Room | undefined {
    const count = this.#most - this.#taken;
    return count > 0 ? { count } : undefined;
  }

  /** Takes a place until `work`, which never rejects, has ended. */
  take(work: Promise<unknown>): void {
    this.#taken++;
    void work.finally(() => {
      this.#taken--;
      this.#departures++;
      this.#left.resolve();
      this.#left = Promise.withResolvers<void>();
    });
  }

  /** Resolves when somebody has left. */
  left(): Promise<void> {
    return this.#left.promise;
  }
}
