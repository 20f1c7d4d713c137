import type { Clock } from '@octo/plugin-api';
import { endsWithin } from '../resilience/ends-within.ts';

/** How long an aborted run may take to let go. Milliseconds. */
const LET_GO_MS = 10_000;

/** What one run holds: it stays alive until the lease is disposed. */
export class RunLease implements Disposable {
  /** How long the run may go on with what a reload has replaced, in milliseconds. */
  readonly maxTimeMs: number;
  readonly #units: readonly object[];
  readonly #abort = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #retirement: Promise<void> | undefined;

  constructor(units: readonly object[], maxTimeMs: number) {
    this.#units = units;
    this.maxTimeMs = maxTimeMs;
  }

  /** Aborted when the run has to let go: the host closes, or its plugins were replaced too long ago. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  holds(unit: object): boolean {
    return this.#units.includes(unit);
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  /**
   * Resolves when the run has let go. After `ms` milliseconds its signal is aborted; soon after that it is given up. The
   * first call sets the deadline.
   */
  retire(ms: number, clock: Clock): Promise<void> {
    this.#retirement ??= this.#retire(ms, clock);
    return this.#retirement;
  }

  async #retire(ms: number, clock: Clock): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    this.signal.addEventListener('abort', () => aborted.resolve(), { once: true });
    if (this.signal.aborted) aborted.resolve();
    if (!(await endsWithin(Promise.race([this.ended, aborted.promise]), ms, clock))) {
      this.abort(
        new Error(
          `its plugins were replaced ${Math.round(ms / 1000)} s ago; the next run takes up what was in flight`,
        ),
      );
    }
    await endsWithin(this.ended, LET_GO_MS, clock);
  }

  [Symbol.dispose](): void {
    this.#ended.resolve();
  }
}
