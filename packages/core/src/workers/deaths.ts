import type { Clock } from '@octo/plugin-api';
import type { WorkerLimits } from './worker-limits.ts';

const LONGEST_PAUSE_MS = 60_000;

/** Counts how often a process has died lately: the next start waits, and after too many there is none. */
export class Deaths {
  readonly #limits: WorkerLimits;
  readonly #clock: Clock;
  #times: number[] = [];
  #reason: string | undefined;
  #areTooMany = false;

  constructor(limits: WorkerLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  add(reason: string): void {
    this.#reason = reason;
    this.#times = [...this.#recent(), this.#clock.monotonic()];
    this.#areTooMany ||= this.#times.length >= this.#limits.mostDeaths;
  }

  /** Those that still count. */
  get count(): number {
    return this.#areTooMany ? this.#times.length : this.#recent().length;
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
    const last = this.#recent().at(-1);
    if (last === undefined) return 0;
    const pause = Math.min(this.#limits.backoffMs * 2 ** (this.count - 1), LONGEST_PAUSE_MS);
    return Math.max(0, last + pause - this.#clock.monotonic());
  }

  #recent(): number[] {
    const since = this.#clock.monotonic() - this.#limits.deathsWithinMs;
    return this.#times.filter((time) => time >= since);
  }
}
