import type { Clock } from '@octo/plugin-api';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/**
 * A clock that a test moves by hand. Time stands still until {@link ManualClock.advance} is called; sleepers wake in the
 * order in which they are due, and each one's continuation has run before the next one wakes.
 */
export class ManualClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #sleepers: Sleeper[] = [];
  #watchers: { readonly count: number; readonly tell: () => void }[] = [];

  /** @param startMs what `now` says at first, in milliseconds since the Unix epoch */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  /** Sleepers that wait right now. */
  get pending(): number {
    return this.#sleepers.length;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms <= 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { dueMs: this.#elapsedMs + ms, wake: resolve };
    const giveUp = () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    this.#sleepers.push(sleeper);
    this.#tellWatchers();
    await promise.finally(() => signal?.removeEventListener('abort', giveUp));
  }

  /** Moves time forward, wakes everybody who is due on the way, also those who fall asleep again meanwhile. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settled();
    for (let next = this.#nextDue(endMs); next !== undefined; next = this.#nextDue(endMs)) {
      const sleeper = next;
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      this.#elapsedMs = Math.max(this.#elapsedMs, sleeper.dueMs);
      sleeper.wake();
      await settled();
    }
    this.#elapsedMs = endMs;
  }

  /** Resolves as soon as `count` or more sleepers wait: the moment to advance. */
  async untilSleeping(count = 1): Promise<void> {
    if (this.pending >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.push({ count, tell: resolve });
    await promise;
  }

  #nextDue(endMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= endMs && sleeper.dueMs < (first?.dueMs ?? Infinity)) first = sleeper;
    }
    return first;
  }

  #tellWatchers(): void {
    const satisfied = this.#watchers.filter(({ count }) => this.pending >= count);
    this.#watchers = this.#watchers.filter((watcher) => !satisfied.includes(watcher));
    for (const { tell } of satisfied) tell();
  }
}

/** Resolves when every promise that can go on without I/O or time has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
