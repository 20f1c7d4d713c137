import type { Clock } from '@octo/plugin-api';

/** The time as Bloomberg's servers have it: ours, until one of them says otherwise. */
export class ServerClock {
  readonly #clock: Clock;
  #aheadMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  /** How far their clock is ahead of ours, in milliseconds. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /**
   * Takes over what a server told about its time.
   * @returns whether that changed anything, so that asking again may help
   */
  correct(serverMs: number): boolean {
    if (Math.abs(serverMs - this.now()) < NOTICEABLE_MS) return false;
    this.#aheadMs = serverMs - this.#clock.now();
    return true;
  }
}

/** Tokens are valid for 30 seconds; a smaller difference is not what a refusal is about. */
const NOTICEABLE_MS = 10_000;
