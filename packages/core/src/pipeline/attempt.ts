import { randomBytes } from 'node:crypto';
import {
  isPluginError,
  PluginError,
  type Clock,
  type Logger,
  type Proof,
  type RemoteFile,
  type Sink,
  type Staged,
  type VisibleObject,
} from '@octo/plugin-api';
import type { VerifiedContent } from '../ledger/delivery.ts';
import { FencedOut } from '../ledger/fenced-out.ts';
import type { Claimed, RunLedger } from '../ledger/ledger.ts';
import type { PipelineConfig } from '../manifest/manifest.ts';
import { retryDelayMs } from '../resilience/retry.ts';
import { Exits } from './exits.ts';
import { LedgerSide } from './ledger-side.ts';
import { hashFacts, mismatch, objectMetadata } from './object-metadata.ts';
import type { Outcome } from './outcome.ts';
import type { Received, Receiver } from './receive.ts';
import type { RunEvent } from './run-report.ts';
import type { StepWatch } from './step-watch.ts';
import { SinkFailure, SinkSide } from './sink-side.ts';
import { sameVersion, type Vendor } from './vendor.ts';

/** Times one attempt goes back to its beginning (fence, look, read anew) before it gives the delivery back. */
const MAX_ROUNDS = 6;
/** A file up to this size is read without asking first whether it is still the same. */
const READ_AT_ONCE_BYTES = 1024 * 1024;
/** A read that ended early or late is tried once more; the second time is taken for the truth. */
const WORTH_ANOTHER_READ = new Set(['TRUNCATED', 'SIZE_MISMATCH', 'DOUBLE_READ']);

export interface AttemptContext {
  readonly config: PipelineConfig;
  readonly ledger: RunLedger;
  readonly vendor: Vendor;
  readonly sink: Sink;
  readonly sinkAttempts: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly watch: StepWatch;
  readonly onEvent: (event: RunEvent) => void;
}

/**
 * One attempt at one delivery: the delivery protocol, as docs/guarantees.md tells it.
 *
 *     fence → look ─ ours ───────────────────────────────→ COMMITTED
 *               │ └─ another's → next key → fence → look
 *               └ vacant → read, check, stage → VERIFIED → commit → COMMITTED
 *                            │                     └ content is held → DUPLICATE_OF, WAITING
 *                            └ gone → SUPERSEDED, wrong or not to be read → QUARANTINED
 *
 * From every unclear answer the way leads back to the beginning: fence, then look, then act.
 */
export class Attempt {
  readonly #context: AttemptContext;
  readonly #wish: Pick<Claimed, 'setAside' | 'onlyLook'>;
  readonly #file: RemoteFile;
  readonly #receiver: Receiver;
  readonly #signal: AbortSignal;
  readonly #sinkSide: SinkSide;
  readonly #exits: Exits;
  readonly #row: LedgerSide;
  #replace: Proof['replace'];
  /** Our object is there, but this ledger never verified it: the ledger was lost. Read again and compare. */
  #unproved: VisibleObject | undefined;
  #rereads = 0;
  #rejections = 0;
  #unconfirmed = 0;

  constructor(
    delivery: Claimed,
    file: RemoteFile,
    receiver: Receiver,
    context: AttemptContext,
    signal: AbortSignal,
  ) {
    this.#row = new LedgerSide(delivery, context.ledger, context.config);
    this.#wish = delivery;
    this.#file = file;
    this.#receiver = receiver;
    this.#context = context;
    this.#signal = signal;
    const onRetry = (error: unknown): void => this.#retrying(error);
    const onWait = (forMs: number): void => this.#waiting(forMs);
    this.#sinkSide = new SinkSide(
      delivery,
      { ...context, attempts: context.sinkAttempts, onRetry, onWait },
      signal,
    );
    this.#exits = new Exits(this.#row, this.#sinkSide, context.logger);
  }

  /** Runs the attempt to its outcome. @throws the signal's reason; errors of the ledger's database */
  async run(): Promise<Outcome> {
    try {
      for (let round = 1; round <= MAX_ROUNDS; round++) {
        const ended = await this.#round();
        if (ended !== 'again') return ended;
        const delayMs = retryDelayMs(undefined, round, this.#context.random);
        await this.#context.clock.sleep(delayMs, this.#signal);
      }
      return await this.#exits.park(
        new Error(`the sink did not take it ${MAX_ROUNDS} times in a row`),
      );
    } catch (error) {
      if (!(error instanceof FencedOut)) throw error;
      await this.#sinkSide.abort().catch(() => {});
      return { outcome: 'fenced-out' };
    }
  }

  async #round(): Promise<Outcome | 'again'> {
    try {
      const ended = await this.#fence();
      if (ended !== undefined) return ended;
      const { setAside, onlyLook } = this.#wish;
      if (setAside !== undefined) return await this.#exits.quarantine(setAside);
      if (onlyLook !== undefined) return await this.#exits.looked(onlyLook);
      const received = await this.#receive();
      return 'outcome' in received ? received : await this.#commit(received);
    } catch (error) {
      return await this.#trouble(error);
    }
  }

  /** Rule 1. `undefined` when the key is free and nothing of ours can appear there. */
  async #fence(): Promise<Outcome | undefined> {
    for (;;) {
      const seen = await this.#sinkSide.fence();
      if (seen.sight === 'another') {
        if (this.#row.delivery.replaces !== undefined)
          return await this.#exits.quarantine(
            'KEY_TAKEN: the object to replace is not there; another one is',
          );
        this.#sinkSide.moveTo(await this.#row.moveToNextKey());
        continue;
      }
      this.#unproved = undefined;
      if (seen.sight === 'ours' && this.#row.delivery.verified !== undefined)
        return await this.#adopt(seen.object);
      if (seen.sight === 'ours') this.#unproved = seen.object;
      else this.#replace = seen.replace;
      await this.#row.fenced();
      return undefined;
    }
  }

  /** Reads, checks and stages the file; every check is green when a {@link Received} comes out. */
  async #receive(): Promise<Received | Outcome> {
    const { vendor, config } = this.#context;
    const { size } = this.#file;
    // Of the others the look that follows the reading tells the same, and a round trip less.
    const looksFirst = size === 0 || size > READ_AT_ONCE_BYTES;
    if (looksFirst && !(await this.#isStillThere())) return await this.#superseded();
    if (size === 0 && config.emptyFiles === 'quarantine')
      return await this.#exits.quarantine(
        "EMPTY_FILE: it has no bytes; the pipeline's emptyFiles: 'deliver' would accept it",
      );
    const stage = (sizeHint: number): Promise<Staged> =>
      this.#unproved === undefined ? this.#stage(undefined, sizeHint) : Promise.resolve(nowhere);
    const received = await this.#receiver.receive(stage, this.#signal);
    if (!sameVersion(this.#file, await vendor.stat(this.#file, this.#signal)))
      return await this.#superseded();
    return received;
  }

  async #commit(received: Received): Promise<Outcome | 'again'> {
    const held = await this.#reserve(received);
    if (held !== undefined) return held;
    if (this.#unproved !== undefined) return await this.#adopt(this.#unproved);
    await received.placeMembers?.(this.#row.key, this.#signal).catch(asSinkFailure);
    if (this.#row.delivery.uploadId === undefined) await this.#stageHeld(received);
    const proof = { ...received.proof, ...(this.#replace && { replace: this.#replace }) };
    const answer = await this.#context.watch.during('commit', 0, () =>
      this.#sinkSide.complete(proof),
    );
    if (answer.outcome !== 'committed') return 'again';
    if (this.#context.config.verifyCommit === true) return await this.#confirm();
    return await this.#committed(answer, 'acknowledged');
  }

  /** Where the sink's word is not enough. Read anew once; then somebody must look at the sink, and nothing is decided. */
  async #confirm(): Promise<Outcome | 'again'> {
    const seen = await this.#sinkSide.confirm();
    if (seen.sight === 'ours') return await this.#adopt(seen.object, 'acknowledged');
    if (this.#unconfirmed++ === 0) return 'again';
    const what = `the sink says that it committed '${this.#row.key}', and has nothing of ours there`;
    const todo = 'do not trust this sink until its author has looked at it';
    const code = 'COMMIT_UNCONFIRMED';
    throw new SinkFailure(new PluginError('validation', `${what}; ${todo}`, { code }), false);
  }

  /** Rule 3: content is reserved before it is committed. `undefined` when it is ours now. */
  async #reserve(received: Received): Promise<Outcome | 'again' | undefined> {
    const verified = verifiedContent(received);
    const answer = await this.#row.verified(verified, received.facts);
    if (answer.answer === 'reserved') return undefined;
    if (answer.answer === 'reissue')
      return await this.#exits.quarantine(
        `REISSUE: other content was delivered under this name before (delivery ${answer.of})`,
      );
    if (this.#unproved !== undefined)
      return await this.#exits.quarantine(
        `SINK_MISMATCH: the object at '${this.#row.key}' is this delivery's, but delivery ${answer.holder} holds the same content; it was left alone`,
      );
    if (answer.state !== 'COMMITTED' && answer.state !== 'CLEANED')
      return await this.#exits.wait(answer.holder, verified.rawSha256);
    return (await this.#exits.duplicate(answer.holder, verified.rawSha256)) ?? 'again';
  }

  async #stageHeld(received: Received): Promise<void> {
    const staged = await this.#stage(verifiedContent(received), received.proof.bytes);
    const write = (chunk: Uint8Array) => () => staged.write(chunk, this.#signal);
    for (const chunk of received.held)
      await this.#context.watch.during('stage', chunk.length, write(chunk));
  }

  /** Rule 4: an upload whose id is stored before its first byte. */
  async #stage(verified: VerifiedContent | undefined, sizeHint: number): Promise<Staged> {
    const token = randomBytes(16).toString('hex');
    const metadata = objectMetadata(this.#row.delivery, token, verified);
    const { watch } = this.#context;
    return await watch.during('stage', 0, () =>
      this.#sinkSide.stage(metadata, sizeHint, (id) => this.#row.streaming(id, token)),
    );
  }

  async #adopt(
    object: VisibleObject,
    how: 'acknowledged' | 'adopted' = 'adopted',
  ): Promise<Outcome> {
    const wrong = mismatch(object, this.#row.delivery, this.#row.delivery.uploadToken);
    if (wrong === undefined) return await this.#committed(object, how);
    return await this.#exits.quarantine(
      `SINK_MISMATCH: the object at '${this.#row.key}' carries this delivery's id, but ${wrong}; it was left alone`,
    );
  }

  async #committed(
    answer: { readonly etag?: string; readonly versionId?: string },
    how: 'acknowledged' | 'adopted',
  ): Promise<Outcome> {
    const { sink, logger, vendor } = this.#context;
    const { path, verified, facts } = this.#row.delivery;
    const { key } = this.#row;
    const { etag, versionId } = answer;
    await this.#row.committed({ etag, versionId, how, clean: vendor.leavesFiles });
    try {
      await sink.annotate?.(key, hashFacts(verified!), this.#signal);
    } catch (error) {
      logger.warn({ err: error, key }, 'object could not be annotated with its hashes');
    }
    const sha256 = verified!.plainSha256.toString('hex');
    const delivered = { path, key, bytes: verified!.plainBytes, sha256 };
    return { outcome: 'delivered', delivered, facts, clean: vendor.leavesFiles };
  }

  async #superseded(): Promise<Outcome> {
    if (this.#unproved !== undefined)
      return await this.#exits.quarantine(
        `SINK_MISMATCH: the object at '${this.#row.key}' is this delivery's, but its source is gone and cannot be compared; it was left alone`,
      );
    return await this.#exits.superseded();
  }

  /** What an error means for the delivery. Errors on the way out park it: nothing is decided without the fence. */
  async #trouble(error: unknown): Promise<Outcome | 'again'> {
    this.#signal.throwIfAborted();
    try {
      if (error instanceof SinkFailure) return await this.#sinkTrouble(error);
      return await this.#sourceTrouble(error);
    } catch (stopped) {
      this.#signal.throwIfAborted();
      return await this.#exits.park(stopped);
    }
  }

  async #sinkTrouble(failure: SinkFailure): Promise<Outcome | 'again'> {
    if (failure.uploadGone) return 'again';
    const { cause } = failure;
    if (!isPluginError(cause) || cause.type !== 'integrity') throw failure;
    // While a completion may still be applied, nothing is decided without another look.
    if (this.#rejections++ === 0 || this.#sinkSide.unclear) return 'again';
    return await this.#exits.quarantine(`SINK_REJECTED: ${cause.message}`);
  }

  async #sourceTrouble(error: unknown): Promise<Outcome | 'again'> {
    if (!isPluginError(error) || (error.type !== 'integrity' && error.type !== 'not_found'))
      throw error;
    if (!(await this.#isStillThere())) return await this.#superseded();
    if (error.type === 'not_found') throw error;
    if (WORTH_ANOTHER_READ.has(error.code ?? '') && this.#rereads++ === 0) {
      this.#retrying(error);
      return 'again';
    }
    return await this.#exits.quarantine(`${error.code ?? 'INTEGRITY'}: ${error.message}`);
  }

  async #isStillThere(): Promise<boolean> {
    return sameVersion(this.#file, await this.#context.vendor.stat(this.#file, this.#signal));
  }

  #retrying(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#context.onEvent({ event: 'retrying', path: this.#row.delivery.path, reason });
  }

  #waiting(forMs: number): void {
    const reason = 'an interrupted completion may still be applied by the store';
    this.#context.onEvent({ event: 'waiting', path: this.#row.delivery.path, reason, forMs });
  }
}

/** Where the bytes of a comparison go. */
const nowhere: Staged = {
  id: '',
  write: () => Promise.resolve(),
  commit: () => Promise.reject(new Error('a comparison commits nothing')),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

function asSinkFailure(error: unknown): never {
  throw error instanceof SinkFailure ? error : new SinkFailure(error, false);
}

function verifiedContent(received: Received): VerifiedContent {
  return {
    rawSha256: received.rawSha256,
    plainSha256: received.proof.sha256,
    plainBytes: received.proof.bytes,
    plainCrc64: received.proof.crc64nvme,
  };
}
