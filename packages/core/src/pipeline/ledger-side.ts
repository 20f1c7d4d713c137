import type { Delivery, VerifiedContent } from '../ledger/delivery.ts';
import type { CommitRecord, RunLedger, VerifiedAnswer } from '../ledger/ledger.ts';
import type { PipelineConfig } from '../manifest/manifest.ts';
import { numberedKey } from './object-key.ts';

/**
 * The ledger as one attempt sees it: its own row, as the last statement left it. Every statement is fenced by the attempt's
 * number and throws FencedOut when a later attempt has taken over.
 */
export class LedgerSide {
  readonly #ledger: RunLedger;
  readonly #config: PipelineConfig;
  #delivery: Delivery;
  /** The row names no upload, and has not come further than CLAIMED: the fence has nothing to write. */
  #isBare: boolean;

  constructor(delivery: Delivery, ledger: RunLedger, config: PipelineConfig) {
    this.#delivery = delivery;
    this.#isBare = delivery.uploadId === undefined;
    this.#ledger = ledger;
    this.#config = config;
  }

  /** The row. */
  get delivery(): Delivery {
    return this.#delivery;
  }

  get key(): string {
    return this.#delivery.objectKey!;
  }

  /** Rule 1 is done, and nothing of ours is at the key. */
  async fenced(): Promise<void> {
    if (this.#isBare) return;
    await this.#ledger.fenced(this.#delivery);
    this.#delivery = { ...this.#delivery, uploadId: undefined, uploadToken: undefined };
    this.#isBare = true;
  }

  /** Rule 1 is done, and the key is another's. Answers the next free one. */
  async moveToNextKey(): Promise<string> {
    const objectKey = await this.#ledger.nextKey(this.#delivery, numberedKey);
    this.#delivery = { ...this.#delivery, objectKey, uploadId: undefined, uploadToken: undefined };
    this.#isBare = true;
    return objectKey;
  }

  /** Before the first byte is written. */
  async streaming(id: string, token: string): Promise<void> {
    this.#isBare = false;
    await this.#ledger.streaming(this.#delivery, { id, token });
    this.#delivery = { ...this.#delivery, uploadId: id, uploadToken: token };
  }

  /** Rule 3: content is reserved before it is committed. */
  async verified(
    verified: VerifiedContent,
    facts: { readonly [name: string]: unknown },
  ): Promise<VerifiedAnswer> {
    const { duplicates, onReissue } = this.#config;
    const options = { duplicates, facts, refuseReissue: onReissue === 'quarantine' };
    this.#isBare = false;
    const answer = await this.#ledger.verified(this.#delivery, verified, options);
    if (answer.answer === 'reserved') {
      const held = { verified, heldRaw: verified.rawSha256 };
      this.#delivery = { ...this.#delivery, ...held, facts: { ...this.#delivery.facts, ...facts } };
    }
    return answer;
  }

  async committed(commit: CommitRecord): Promise<void> {
    await this.#ledger.committed(this.#delivery, commit);
  }

  /** False when the holder is not committed with this content any more. */
  duplicate(holder: string, rawSha256: Buffer): Promise<boolean> {
    return this.#ledger.duplicate(this.#delivery, holder, rawSha256);
  }

  async wait(holder: string, rawSha256: Buffer): Promise<void> {
    await this.#ledger.wait(this.#delivery, holder, rawSha256);
  }

  /** Rule 2: only behind the fence. */
  async exit(state: 'QUARANTINED' | 'SUPERSEDED', reason: string): Promise<void> {
    await this.#ledger.exit(this.#delivery, state, reason);
  }

  /** Gives the lease back and keeps everything else. */
  async park(reason: string): Promise<void> {
    await this.#ledger.park(this.#delivery, reason, 0);
  }
}
