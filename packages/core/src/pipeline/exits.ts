import { isPluginError, type Logger } from '@octo/plugin-api';
import { FencedOut } from '../ledger/fenced-out.ts';
import { responseTo } from '../resilience/error-response.ts';
import type { LedgerSide } from './ledger-side.ts';
import type { Outcome } from './outcome.ts';
import { SinkFailure, type SinkSide } from './sink-side.ts';

/**
 * The ways out of an attempt that do not end with a commit. Rule 2 of the protocol: none of the final ones without the
 * fence — the own upload is aborted, and that is answered, before the ledger says that nothing is there.
 */
export class Exits {
  readonly #row: LedgerSide;
  readonly #sinkSide: SinkSide;
  readonly #logger: Logger;

  constructor(row: LedgerSide, sinkSide: SinkSide, logger: Logger) {
    this.#row = row;
    this.#sinkSide = sinkSide;
    this.#logger = logger;
  }

  /** Something is wrong with the file, and somebody must look at it. */
  async quarantine(reason: string): Promise<Outcome> {
    await this.#sinkSide.abort();
    await this.#row.exit('QUARANTINED', reason);
    return { outcome: 'quarantined', reason };
  }

  async superseded(): Promise<Outcome> {
    const reason = 'this version is no longer at the vendor';
    await this.#sinkSide.abort();
    await this.#row.exit('SUPERSEDED', reason);
    return { outcome: 'superseded', reason };
  }

  /** `undefined` when the holder does not have the content any more. */
  async duplicate(holder: string, rawSha256: Buffer): Promise<Outcome | undefined> {
    await this.#sinkSide.abort();
    const still = await this.#row.duplicate(holder, rawSha256);
    return still ? { outcome: 'duplicate', of: holder } : undefined;
  }

  /** Not an exit for good: the holder of the content is still on its way. */
  async wait(holder: string, rawSha256: Buffer): Promise<Outcome> {
    await this.#sinkSide.abort();
    await this.#row.wait(holder, rawSha256);
    return { outcome: 'waiting', holder };
  }

  /** Nor this: it was fenced, and whoever claims it next need not wait for the sink. */
  async looked(reason: string): Promise<Outcome> {
    await this.#row.park(reason);
    return { outcome: 'looked' };
  }

  /**
   * Not an exit either: gives the lease back and keeps key, hash and upload id, because somebody or something outside must
   * act first. Rethrows what is no failure of the delivery.
   */
  async park(error: unknown): Promise<Outcome> {
    const cause = error instanceof SinkFailure ? error.cause : error;
    if (cause instanceof FencedOut || !(cause instanceof Error)) throw cause;
    await this.#letGo(error);
    const reason = reasonWithCode(cause);
    await this.#row.park(reason);
    if (!isPluginError(cause)) this.#logger.error({ err: cause }, 'delivery failed unexpectedly');
    const { unreachable, breaker, retry: mayPass } = responseTo(cause);
    const sinkIsDown = unreachable && error instanceof SinkFailure;
    const isTrouble = sinkIsDown && breaker && isPluginError(cause);
    return {
      outcome: 'parked',
      reason,
      unreachable,
      mayPass,
      sinkIsDown,
      ...(isTrouble && { sinkTrouble: cause }),
    };
  }

  /** Leaves no upload behind where that is certain; an unclear completion stays in the row for the next attempt. */
  async #letGo(error: unknown): Promise<void> {
    const sinkIsDown = error instanceof SinkFailure && responseTo(error.cause).retry;
    if (this.#row.delivery.uploadId === undefined || this.#sinkSide.unclear || sinkIsDown) return;
    try {
      if ((await this.#sinkSide.fence()).sight === 'vacant') await this.#row.fenced();
    } catch (stopped) {
      if (stopped instanceof FencedOut) throw stopped;
    }
  }
}

/** `CODE: what is wrong`, as for files that are set aside; once is enough where the message names the code itself. */
function reasonWithCode(error: Error): string {
  const code = isPluginError(error) ? error.code : undefined;
  return code === undefined || error.message.includes(code)
    ? error.message
    : `${code}: ${error.message}`;
}
