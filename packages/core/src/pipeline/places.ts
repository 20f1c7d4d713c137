import type { Pipeline } from './run-context.ts';

/** What may be begun now. */
export interface Room {
  readonly count: number;
  /** Only for files of at most this size. */
  readonly maxBytes?: number;
}

export interface PlaceLimits {
  /** Files of any size. */
  readonly most: number;
  /** Files beyond these, when they are small. */
  readonly mostSmall: number;
}

/**
 * What a pipeline may have in flight: what its manifest says, else few files of any size and many small ones, which are
 * nothing but waiting for answers. A small file is held in memory, and what steps make of it may be as large as the sink's
 * smallest upload.
 */
export function placeLimits({ config, steps, sink }: Pipeline): PlaceLimits {
  if (config.concurrency !== undefined) return { most: config.concurrency, mostSmall: 0 };
  const held = steps.length > 0 ? Math.max(SMALL_BYTES, sink.smallBytes) : SMALL_BYTES;
  return { most: ANY_SIZE, mostSmall: Math.min(MOST_SMALL, Math.floor(SMALL_MEMORY_BYTES / held)) };
}

/** The files in flight of one run. */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #taken = { any: 0, small: 0 };
  #departures = 0;
  #left = Promise.withResolvers<void>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  get areEmpty(): boolean {
    return this.#taken.any + this.#taken.small === 0;
  }

  /** How many have left so far. */
  get departures(): number {
    return this.#departures;
  }

  /**
   * What may be begun beside what is. Small ones have places of their own: they do not keep the large ones waiting. A claim
   * costs about the same for one and for many, so a few free places for small ones wait for more of them.
   */
  rooms(): readonly Room[] {
    const { most, mostSmall } = this.#limits;
    const any = most - this.#taken.any;
    const small = mostSmall - this.#taken.small;
    return [
      ...(any > 0 ? [{ count: any }] : []),
      ...(small > 0 && small * 4 >= mostSmall ? [{ count: small, maxBytes: SMALL_BYTES }] : []),
    ];
  }

  /** Takes a place of the room until `work`, which never rejects, has ended. */
  take({ maxBytes }: Room, work: Promise<unknown>): void {
    const kind = maxBytes === undefined ? 'any' : 'small';
    this.#taken[kind]++;
    void work.finally(() => {
      this.#taken[kind]--;
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

const ANY_SIZE = 4;
const MOST_SMALL = 124;
const SMALL_BYTES = 128 * 1024;
const SMALL_MEMORY_BYTES = 32 * 1024 * 1024;
