import type { Clock, Logger } from '@octo/plugin-api';
import { FencedOut } from '../ledger/fenced-out.ts';
import type { Claim, RunLedger } from '../ledger/ledger.ts';

/** Long enough that a busy process renews in time; a dead owner is noticed without it. */
export const LEASE_MS = 60_000;

/**
 * Keeps a claim's lease alive for as long as it is not disposed, and aborts its signal when another attempt has taken over.
 * Courtesy, not safety: it saves a second reading. Safety rests on the fences.
 */
export class Lease implements AsyncDisposable {
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  readonly #keeping: Promise<void>;
  /** Aborted with {@link FencedOut} when the lease is lost. */
  readonly signal: AbortSignal;

  constructor(claim: Claim, ledger: RunLedger, clock: Clock, logger: Logger) {
    this.signal = this.#lost.signal;
    this.#keeping = this.#keep(claim, ledger, clock, logger);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#keeping;
  }

  async #keep(claim: Claim, ledger: RunLedger, clock: Clock, logger: Logger): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await clock.sleep(LEASE_MS / 2, this.#stopped.signal);
        if (!(await ledger.renew(claim, LEASE_MS)))
          this.#lost.abort(new FencedOut(claim.id, claim.attempt));
      } catch (error) {
        // The database may be back by the next time; until the lease is over nobody else claims.
        if (!this.#stopped.signal.aborted)
          logger.warn({ err: error, delivery: claim.id }, 'lease could not be renewed');
      }
      if (this.#lost.signal.aborted) return;
    }
  }
}
