import { isPluginError, PluginError, type Clock, type Logger } from '@octo/plugin-api';
import { FencedOut } from '../ledger/fenced-out.ts';
import type { Claim, RunLedger } from '../ledger/ledger.ts';

/** Long enough that a busy process renews in time; a dead owner is noticed without it. */
export const LEASE_MS = 60_000;
const RENEW_MS = LEASE_MS / 2;

export interface LeaseOptions {
  readonly ledger: RunLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The attempt's time. */
  readonly maxTimeMs: number;
}

/**
 * Keeps a claim's lease alive for as long as it is not disposed, and aborts its signal when another attempt has taken over,
 * when the attempt's time is up, or with the outer signal. Courtesy, not safety: it saves a second reading. Safety rests on
 * the fences.
 */
export class Lease implements AsyncDisposable {
  readonly #over = new AbortController();
  readonly #stopped = new AbortController();
  readonly #outer: AbortSignal;
  readonly #keeping: Promise<void>;
  #isLost = false;

  constructor(claim: Claim, options: LeaseOptions, outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.#followOuter();
    else outer.addEventListener('abort', this.#followOuter, { once: true });
    this.#keeping = this.#keep(claim, options);
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether another attempt has taken over. */
  get isLost(): boolean {
    return this.#isLost;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outer.removeEventListener('abort', this.#followOuter);
    this.#stopped.abort(DISPOSED);
    await this.#keeping;
  }

  readonly #followOuter = (): void => this.#over.abort(this.#outer.reason);

  async #keep(claim: Claim, { ledger, clock, logger, maxTimeMs }: LeaseOptions): Promise<void> {
    const stopped = this.#stopped.signal;
    const endMs = clock.monotonic() + maxTimeMs;
    while (!stopped.aborted && !this.#isLost) {
      try {
        const leftMs = endMs - clock.monotonic();
        await clock.sleep(leftMs > 0 ? Math.min(RENEW_MS, leftMs) : RENEW_MS, stopped);
        if (clock.monotonic() >= endMs) this.#over.abort(overtime(maxTimeMs));
        this.#isLost = !(await ledger.renew(claim, LEASE_MS));
        if (this.#isLost) this.#over.abort(new FencedOut(claim.id, claim.attempt));
      } catch (error) {
        // The database may be back by the next time; until the lease is over nobody else claims.
        if (!stopped.aborted)
          logger.warn({ err: error, delivery: claim.id }, 'lease could not be renewed');
      }
    }
  }
}

/** Whether an attempt ended because its time was up. */
export function isOvertime(error: unknown): boolean {
  return isPluginError(error) && error.code === 'OVERTIME';
}

function overtime(maxTimeMs: number): PluginError {
  return new PluginError('network', `it took longer than limits.maxTimeMs (${maxTimeMs} ms)`, {
    code: 'OVERTIME',
  });
}

/** Without a reason of ours an abort makes an error, with a stack, that nobody looks at. */
const DISPOSED = 'disposed';
