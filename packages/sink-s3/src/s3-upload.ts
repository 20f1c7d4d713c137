/**
 * A multipart upload in progress: a few parts on their way at a time, all bytes of each kept until the store has it, one
 * completion that names every part. At most `concurrency` parts are in flight and one is being filled.
 */
import {
  isPluginError,
  PluginError,
  type CommitAnswer,
  type Proof,
  type Staged,
} from '@octo/plugin-api';
import { storeStatus } from './classify-error.ts';
import { Crc64Nvme, crcToBytes } from '@octo/crc64nvme';
import type { BlockPool } from './block-pool.ts';
import { PartBuffer } from './part-buffer.ts';
import type { Completion, NamedPart, S3Bucket, UploadAddress } from './s3-bucket.ts';
import { S3Part, type PartRetry } from './s3-part.ts';

export interface UploadOptions {
  readonly bucket: S3Bucket;
  readonly upload: UploadAddress;
  /** The size of part `number` in bytes. */
  readonly partBytes: (number: number) => number;
  readonly concurrency: number;
  readonly withMd5: boolean;
  /** Where parts get their memory from. */
  readonly blocks: BlockPool;
  readonly retry: PartRetry;
  /** How the store is asked for an empty place. */
  readonly guard: (
    upload: UploadAddress,
    replace: Proof['replace'],
    signal: AbortSignal,
  ) => Promise<Completion['condition'] | 'taken'>;
}

export class S3Upload implements Staged {
  readonly id: string;
  readonly #options: UploadOptions;
  readonly #released = new AbortController();
  readonly #crc = new Crc64Nvme();
  /** Started and not yet with the store, by number. */
  readonly #open = new Map<number, S3Part>();
  readonly #flights = new Map<number, Promise<void>>();
  readonly #named: NamedPart[] = [];
  #concurrency: number;
  #filling: PartBuffer;
  #started = 0;
  #bytes = 0;
  #sealed = false;

  constructor(options: UploadOptions) {
    this.id = options.upload.id;
    this.#options = options;
    this.#concurrency = options.concurrency;
    this.#filling = this.#emptyPart();
  }

  async write(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#sealed)
      throw new PluginError('validation', `upload of ${this.#key}: written to after its commit`);
    this.#throwFailure();
    for (let rest = chunk; rest.length > 0;) {
      const room = this.#options.partBytes(this.#started + 1) - this.#filling.bytes;
      // The chunk itself where it fits: its checksum is remembered for the object, not for a view of it.
      const piece = rest.length <= room ? rest : rest.subarray(0, room);
      rest = rest.subarray(piece.length);
      this.#filling.add(piece);
      this.#bytes += piece.length;
      if (piece.length === room) {
        await this.#freeSlot(signal);
        this.#startPart(signal);
      }
    }
  }

  async commit(proof: Proof, signal: AbortSignal): Promise<CommitAnswer> {
    signal.throwIfAborted();
    const { bucket, upload, guard } = this.#options;
    try {
      await this.#flush(signal);
      this.#checkProof(proof);
      const condition = await guard(upload, proof.replace, signal);
      if (condition === 'taken') return { outcome: 'exists' };
      const { bytes } = proof;
      const crc64nvme = Buffer.from(proof.crc64nvme).toString('base64');
      const parts = this.#named.toSorted((a, b) => a.number - b.number);
      return await bucket.complete(upload, { parts, bytes, crc64nvme, condition }, signal);
    } catch (error) {
      const answer = answerIn(error, proof);
      if (answer === undefined) throw error;
      return answer;
    }
  }

  /** Stops what is in flight and lets the bytes go. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#released.abort(
      new PluginError('network', `upload of ${this.#key} was released`, { code: 'RELEASED' }),
    );
    await Promise.all(this.#flights.values());
    this.#open.clear();
    this.#filling = this.#emptyPart();
    this.#sealed = true;
  }

  #emptyPart(): PartBuffer {
    return new PartBuffer(this.#options.blocks, this.#crc, this.#options.withMd5);
  }

  get #key(): string {
    return this.#options.upload.key;
  }

  #throwFailure(): void {
    for (const part of this.#open.values()) {
      if (part.failure !== undefined) throw part.failure;
    }
  }

  async #freeSlot(signal: AbortSignal): Promise<void> {
    while (this.#flights.size >= this.#concurrency) {
      await Promise.race(this.#flights.values());
      signal.throwIfAborted();
      this.#throwFailure();
    }
  }

  #startPart(signal: AbortSignal): void {
    this.#started += 1;
    const part = new S3Part(this.#started, this.#filling.take());
    this.#filling = this.#emptyPart();
    this.#open.set(part.body.number, part);
    this.#launch(part, signal);
  }

  #launch(part: S3Part, signal: AbortSignal): void {
    const { retry } = this.#options;
    const { number } = part.body;
    const either = AbortSignal.any([signal, this.#released.signal]);
    const onRetry = (error: unknown): void => {
      if (isPluginError(error) && error.type === 'rate_limit') {
        this.#concurrency = Math.max(1, Math.floor(this.#concurrency / 2));
      }
      retry.onRetry(error);
    };
    this.#flights.set(number, this.#fly(part, { ...retry, onRetry }, either));
  }

  async #fly(part: S3Part, retry: PartRetry, signal: AbortSignal): Promise<void> {
    const { number } = part.body;
    await part.send(this.#options.bucket, this.#options.upload, retry, signal);
    this.#flights.delete(number);
    if (part.named === undefined) return;
    this.#open.delete(number);
    this.#named.push(part.named);
  }

  /** Everything that was written is with the store when this resolves. Called again, it sends what failed once more. */
  async #flush(signal: AbortSignal): Promise<void> {
    this.#released.signal.throwIfAborted();
    this.#sealed = true;
    for (const part of this.#open.values()) {
      if (isGone(part.failure)) throw part.failure;
      if (part.failure === undefined) continue;
      while (this.#flights.size >= this.#concurrency) await Promise.race(this.#flights.values());
      this.#launch(part, signal);
    }
    // S3 refuses a completion without parts, so an empty object is one empty part.
    if (this.#filling.bytes > 0 || this.#started === 0) this.#startPart(signal);
    await Promise.all(this.#flights.values());
    signal.throwIfAborted();
    this.#throwFailure();
  }

  #checkProof(proof: Proof): void {
    const crc64nvme = crcToBytes(this.#crc.digest());
    if (proof.bytes === this.#bytes && crc64nvme.equals(proof.crc64nvme)) return;
    throw new PluginError(
      'integrity',
      `s3 upload of ${this.#key}: ${this.#bytes} bytes were written that are not the ${proof.bytes} bytes of the proof; nothing was made visible`,
      { code: 'PROOF_MISMATCH' },
    );
  }
}

/** What the answers mean that are no failures. */
function answerIn(error: unknown, proof: Proof): CommitAnswer | undefined {
  if (!isPluginError(error)) return undefined;
  if (isGone(error)) return { outcome: 'gone' };
  if (error.code === 'PRECONDITION_FAILED' || storeStatus(error.cause) === 412) {
    return { outcome: 'exists' };
  }
  if (error.code === 'CONDITIONAL_REQUEST_CONFLICT' || error.code === 'OPERATION_ABORTED') {
    return { outcome: 'conflict' };
  }
  // Nothing is there to be replaced.
  if (error.code === 'NO_SUCH_KEY' && proof.replace) return { outcome: 'exists' };
  return undefined;
}

function isGone(error: unknown): boolean {
  return isPluginError(error) && error.code === 'NO_SUCH_UPLOAD';
}
