import type { Clock } from '@octo/plugin-api';
import type { WorkerLimits } from './worker-limits.ts';

const LONGEST_PAUSE_MS = 60_000;

interface Death {
  readonly atMs: number;
  readonly files: readonly string[];
}

/** Counts how often a process has died lately: the next start waits, and after too many there is none. */
export class Deaths {
  readonly #limits: WorkerLimits;
  readonly #clock: Clock;
  #all: Death[] = [];
  #reason: string | undefined;
  #areTooMany = false;

  constructor(limits: WorkerLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** @param files that it had in hand */
  add(reason: string, files: readonly string[] = []): void {
    this.#reason = reason;
    this.#all = [...this.#recent(), { atMs: this.#clock.monotonic(), files }];
    this.#areTooMany ||= this.#all.length >= this.#limits.mostDeaths;
  }

  /** One of the files explains the deaths in which it was in hand: they do not count any more. */
  forgive(file: string): void {
    this.#all = this.#all.filter(({ files }) => !files.includes(file));
  }

  /** Those that still count. */
  get count(): number {
    return this.#areTooMany ? this.#all.length : this.#recent().length;
  }

  /** Of the last one that counts. */
  get reason(): string | undefined {
    return this.count === 0 ? undefined : this.#reason;
  }

  /** Stays so: time does not mend a plugin. */
  get areTooMany(): boolean {
    return this.#areTooMany;
  }

  /** What is left of the wait before the next start, in milliseconds. */
  get pauseMs(): number {
    const last = this.#recent().at(-1)?.atMs;
    if (last === undefined) return 0;
    const pause = Math.min(this.#limits.backoffMs * 2 ** (this.count - 1), LONGEST_PAUSE_MS);
    return Math.max(0, last + pause - this.#clock.monotonic());
  }

  #recent(): Death[] {
    const since = this.#clock.monotonic() - this.#limits.deathsWithinMs;
    return this.#all.filter(({ atMs }) => atMs >= since);
  }
}
