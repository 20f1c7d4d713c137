import type { Clock } from '@octo/plugin-api';
import type { Content } from './step.ts';

/** Where the time of one file went, from its claim to its end. Milliseconds of the monotonic clock. */
export interface FileTimes {
  readonly ms: number;
  readonly steps: readonly StepTime[];
}

export interface StepTime extends StepTotal {
  /** Its first beginning and its last end, counted from the file's beginning: steps overlap. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface StepTotal {
  /** `download`, the pipeline's steps by their names, `hash`, `stage`, `commit`. */
  readonly step: string;
  /** Spent in it alone, without what it waited for in the step before it. */
  readonly ms: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

interface Watched {
  readonly step: string;
  /** Calls of it that have not answered yet. */
  open: number;
  fromMs: number | undefined;
  toMs: number;
  ms: number;
  bytesIn: number;
  bytesOut: number;
}

/**
 * Watches the steps of one file. Bytes are pulled through them, so that each waits for the one before: a moment belongs to
 * the innermost that was asked and has not answered. What the host does with the bytes by itself (`hash`, `stage`,
 * `commit`) has its moments alone, even while a step reads ahead. The clock is read once at each border, nothing is held.
 */
export class StepWatch {
  readonly #clock: Clock;
  readonly #beganMs: number;
  /** In the order of the bytes. */
  readonly #pulled: readonly Watched[];
  readonly #own = { hash: watched('hash'), stage: watched('stage'), commit: watched('commit') };
  #alone: Watched | undefined;
  #lastMs: number;

  /** @param steps the names of the pipeline's steps, in their order */
  constructor(clock: Clock, steps: readonly string[]) {
    this.#clock = clock;
    this.#pulled = ['download', ...steps].map(watched);
    this.#beganMs = clock.monotonic();
    this.#lastMs = this.#beganMs;
  }

  /** The bytes as the vendor sends them. */
  source(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const [download] = this.#pulled;
    return this.#pulling(download!, bytes, (chunk) => {
      download!.bytesIn += chunk.length;
      return this.#counted(0, chunk);
    });
  }

  /** What comes out of the step at this place, counted from 0. */
  contents(place: number, contents: AsyncIterable<Content>): AsyncIterable<Content> {
    const step = this.#pulled[place + 1]!;
    const count = (chunk: Uint8Array) => this.#counted(place + 1, chunk);
    return this.#pulling(step, contents, (content) => ({
      ...content,
      bytes: this.#pulling(step, content.bytes, count),
    }));
  }

  /** Something of the host's own that computes and does not wait. */
  hashing(bytes: number, work: () => void): void {
    const before = this.#alone;
    this.#enter(this.#own.hash);
    this.#alone = this.#own.hash;
    work();
    this.#leave(this.#own.hash);
    this.#alone = before;
    this.#own.hash.bytesIn += bytes;
    this.#own.hash.bytesOut += bytes;
  }

  /** The host's own, or what it waits for at the sink, with the bytes that leave it. */
  async during<T>(what: 'stage' | 'commit', bytes: number, work: () => Promise<T>): Promise<T> {
    const own = this.#own[what];
    this.#enter(own);
    this.#alone = own;
    try {
      const done = await work();
      own.bytesIn += bytes;
      own.bytesOut += bytes;
      return done;
    } finally {
      this.#leave(own);
      this.#alone = undefined;
    }
  }

  /** What was measured so far; without what was never begun. */
  times(): FileTimes {
    const all = [...this.#pulled, ...Object.values(this.#own)];
    return {
      ms: rounded(this.#clock.monotonic() - this.#beganMs),
      steps: all.flatMap(({ step, fromMs, toMs, ms, bytesIn, bytesOut }) =>
        fromMs === undefined
          ? []
          : [
              {
                step,
                fromMs: rounded(fromMs),
                toMs: rounded(toMs),
                ms: rounded(ms),
                bytesIn,
                bytesOut,
              },
            ],
      ),
    };
  }

  #pulling<T>(step: Watched, from: AsyncIterable<T>, seen: (one: T) => T): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = from[Symbol.asyncIterator]();
        const next = async (): Promise<IteratorResult<T, unknown>> => {
          this.#enter(step);
          try {
            const result = (await iterator.next()) as IteratorResult<T, unknown>;
            return result.done === true ? result : { done: false, value: seen(result.value) };
          } finally {
            this.#leave(step);
          }
        };
        const stop = async (): Promise<IteratorResult<T, unknown>> => {
          await iterator.return?.();
          return { done: true, value: undefined };
        };
        return { next, return: stop };
      },
    };
  }

  #counted(place: number, chunk: Uint8Array): Uint8Array {
    this.#pulled[place]!.bytesOut += chunk.length;
    const next = this.#pulled[place + 1];
    if (next !== undefined) next.bytesIn += chunk.length;
    return chunk;
  }

  #enter(step: Watched): void {
    this.#lap();
    step.open += 1;
    step.fromMs ??= this.#lastMs - this.#beganMs;
  }

  #leave(step: Watched): void {
    this.#lap();
    step.open -= 1;
    step.toMs = this.#lastMs - this.#beganMs;
  }

  /** The time since the last border belongs to whoever worked. */
  #lap(): void {
    const now = this.#clock.monotonic();
    const busy = this.#alone ?? this.#pulled.find(({ open }) => open > 0);
    if (busy !== undefined) busy.ms += now - this.#lastMs;
    this.#lastMs = now;
  }
}

/** The same steps of several files together, in the order in which they were met. */
export function addTimes(
  totals: ReadonlyMap<string, StepTotal>,
  { steps }: FileTimes,
): Map<string, StepTotal> {
  const sums = new Map(totals);
  for (const { step, ms, bytesIn, bytesOut } of steps) {
    const before = sums.get(step) ?? { step, ms: 0, bytesIn: 0, bytesOut: 0 };
    sums.set(step, {
      step,
      ms: rounded(before.ms + ms),
      bytesIn: before.bytesIn + bytesIn,
      bytesOut: before.bytesOut + bytesOut,
    });
  }
  return sums;
}

function watched(step: string): Watched {
  return { step, open: 0, fromMs: undefined, toMs: 0, ms: 0, bytesIn: 0, bytesOut: 0 };
}

/** To tenths: what is smaller says nothing. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
