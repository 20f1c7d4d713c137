import type { StepContext } from '../../step.ts';
import { decryptFailed } from './failed.ts';

/** Ample for the slowest piece: 4 MiB of OCB, which the library does at 3 MB/s. In milliseconds. */
const STANDSTILL_MS = 30_000;

/**
 * Ends what would wait for ever. openpgp.js stands still on some messages (a compression that it does not know, for
 * one): it waits for a reader of a stream that it has given up. Whoever waits for the library therefore waits for an
 * abort and for its standstill, too.
 */
export class Watchdog implements Disposable {
  readonly #context: StepContext;
  readonly #stop = new AbortController();
  readonly #interrupted = Promise.withResolvers<never>();
  #steps = 0;
  #awaited = false;
  #fed = true;
  #reason: { readonly error: unknown } | undefined;
  /** Called once, when the waiting must end. */
  onInterrupt: () => void = () => undefined;

  constructor(context: StepContext) {
    this.#context = context;
    this.#interrupted.promise.catch(() => undefined);
    context.signal.addEventListener('abort', () => this.#interrupt(context.signal.reason), {
      signal: this.#stop.signal,
    });
    void this.#watch();
  }

  /** Whether somebody waits for the library now. A consumer that takes its time is no standstill. */
  awaited(yes: boolean): void {
    this.#steps += 1;
    this.#awaited = yes;
  }

  /** Whether the library has all that it asked for. A vendor that takes its time is no standstill. */
  fed(yes: boolean): void {
    this.#steps += 1;
    this.#fed = yes;
  }

  /** `promise`, or the error of the interruption. For a few promises of a message only: each one is held to its end. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#interrupted.promise]);
  }

  throwIfInterrupted(): void {
    if (this.#reason !== undefined) throw this.#reason.error;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    try {
      for (;;) {
        const before = this.#steps;
        await this.#context.clock.sleep(STANDSTILL_MS, this.#stop.signal);
        if (this.#awaited && this.#fed && this.#steps === before) {
          return this.#interrupt(decryptFailed(new Error('openpgp.js stands still')));
        }
      }
    } catch {
      // The clock rejects when the watch is over.
    }
  }

  #interrupt(error: unknown): void {
    this.#reason ??= { error };
    this.#interrupted.reject(error);
    this.onInterrupt();
  }
}
