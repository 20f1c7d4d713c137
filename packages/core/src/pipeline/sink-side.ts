import type { Clock, CommitAnswer, Proof, Sink, Staged, VisibleObject } from '@octo/plugin-api';
import type { Delivery } from '../ledger/delivery.ts';
import { responseTo } from '../resilience/error-response.ts';
import { retry, retryDelayMs } from '../resilience/retry.ts';
import { isObjectOf } from './object-metadata.ts';

export interface SinkSideOptions {
  readonly sink: Sink;
  readonly attempts: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onRetry: (error: unknown) => void;
  /** Told when the store gets time to finish a completion that nobody heard the end of. */
  readonly onWait: (forMs: number) => void;
}

/** What lies at the delivery's key once nothing that we began before can appear there any more. */
export type Sight =
  | { readonly sight: 'ours'; readonly object: VisibleObject }
  | { readonly sight: 'another' }
  | { readonly sight: 'vacant'; readonly replace?: { readonly etag: string } };

/**
 * The sink as one attempt sees it: at most one upload that could still be completed, and what lies at the key.
 * Every error of the sink leaves here as a {@link SinkFailure}, to be told from the vendor's.
 */
export class SinkSide {
  readonly #options: SinkSideOptions;
  readonly #signal: AbortSignal;
  readonly #deliveryId: string;
  readonly #replaces: string | undefined;
  #key: string;
  #uploadId: string | undefined;
  #staged: Staged | undefined;
  #unclear: boolean;

  constructor(delivery: Delivery, options: SinkSideOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#deliveryId = delivery.id;
    this.#replaces = delivery.replaces;
    this.#key = delivery.objectKey!;
    this.#uploadId = delivery.uploadId;
    this.#unclear = delivery.uploadId !== undefined && delivery.heldRaw !== undefined;
  }

  /** Whether a completion whose answer nobody heard may still be under way in the store. */
  get unclear(): boolean {
    return this.#unclear;
  }

  /**
   * Rule 1, first half: aborts the upload until that is answered, then looks. When a completion may still be under way,
   * it gives the store time and looks again: no document says that an abort stops what S3 is assembling.
   */
  async fence(): Promise<Sight> {
    await this.abort();
    const sight = await this.#look();
    if (sight.sight !== 'vacant' || !this.#unclear) return sight;
    const graceMs = this.#options.sink.completeGraceMs;
    if (graceMs > 0) {
      this.#options.onWait(graceMs);
      await this.#options.clock.sleep(graceMs, this.#signal);
    }
    this.#unclear = false;
    return await this.#look();
  }

  /** Aborts the upload, if there is one, and resolves when that is answered. Safe to repeat. */
  async abort(): Promise<void> {
    await this.#staged?.[Symbol.asyncDispose]();
    this.#staged = undefined;
    const id = this.#uploadId;
    if (id === undefined) return;
    await this.#ask(() => this.#options.sink.abort({ key: this.#key, id }, this.#signal));
    this.#uploadId = undefined;
  }

  /** The fence is done and the key is another's: goes on with the next one. */
  moveTo(key: string): void {
    this.#key = key;
    this.#uploadId = undefined;
    this.#unclear = false;
  }

  /** Begins an upload; `store` must have stored its id before this resolves. */
  async stage(
    metadata: { readonly [name: string]: string },
    sizeHint: number,
    store: (id: string) => Promise<void>,
  ): Promise<Staged> {
    const object = { key: this.#key, metadata, sizeHint };
    const staged = await this.#ask(() => this.#options.sink.stage(object, this.#signal));
    this.#staged = staged;
    this.#uploadId = staged.id;
    await store(staged.id);
    return new MarkedStaged(staged);
  }

  /**
   * Asks the sink to make it visible. After an unclear answer it looks, and while nothing is there it sends the same
   * completion again. Anything but `committed` means: fence, look, act.
   */
  async complete(proof: Proof): Promise<CommitAnswer | { readonly outcome: 'look' }> {
    const { attempts, clock, random, onRetry } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#staged!.commit(proof, this.#signal);
      } catch (error) {
        const { retry: unclear } = responseTo(error);
        this.#unclear ||= unclear || this.#signal.aborted;
        this.#signal.throwIfAborted();
        if (!unclear || attempt >= attempts) throw new SinkFailure(error, false);
        onRetry(error);
        await clock.sleep(retryDelayMs(error, attempt, random), this.#signal);
        if ((await this.#look()).sight !== 'vacant') return { outcome: 'look' };
      }
    }
  }

  /**
   * Looks whether what the sink called committed is there. When it is not, the completion may still be under way, whatever
   * was answered: what follows is the fence.
   */
  async confirm(): Promise<Sight> {
    const sight = await this.#look();
    this.#unclear ||= sight.sight === 'vacant';
    return sight;
  }

  async #look(): Promise<Sight> {
    const object = await this.#ask(() => this.#options.sink.head(this.#key, this.#signal));
    if (object === undefined) return { sight: 'vacant' };
    if (isObjectOf(this.#deliveryId, object)) return { sight: 'ours', object };
    const replaceable = this.#replaces !== undefined && isObjectOf(this.#replaces, object);
    if (replaceable && object.etag !== undefined)
      return { sight: 'vacant', replace: { etag: object.etag } };
    return { sight: 'another' };
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    const options = { ...this.#options, signal: this.#signal };
    try {
      return await retry(question, options);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw new SinkFailure(error, false);
    }
  }
}

/** An error that the sink threw. */
export class SinkFailure extends Error {
  override readonly cause: unknown;
  /** The upload is not there any more: somebody aborted it. */
  readonly uploadGone: boolean;

  constructor(cause: unknown, uploadGone: boolean) {
    super(cause instanceof Error ? cause.message : 'the sink failed', { cause });
    this.name = 'SinkFailure';
    this.cause = cause;
    this.uploadGone = uploadGone;
  }
}

/** The vendor's and the sink's errors travel through one stream: this marks the sink's. */
class MarkedStaged implements Staged {
  readonly #staged: Staged;

  constructor(staged: Staged) {
    this.#staged = staged;
  }

  get id(): string {
    return this.#staged.id;
  }

  async write(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      await this.#staged.write(chunk, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new SinkFailure(error, (error as { type?: unknown } | undefined)?.type === 'not_found');
    }
  }

  commit(proof: Proof, signal: AbortSignal): Promise<CommitAnswer> {
    return this.#staged.commit(proof, signal);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#staged[Symbol.asyncDispose]();
  }
}
