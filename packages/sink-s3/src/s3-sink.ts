import { randomUUID } from 'node:crypto';
import {
  isPluginError,
  PluginError,
  type Clock,
  type Diagnosis,
  type Logger,
  type ObjectToStage,
  type Proof,
  type Sink,
  type Staged,
  type Upload,
  type VisibleObject,
} from '@octo/plugin-api';
import { BlockPool } from './block-pool.ts';
import type { S3SinkConfig } from './config-schema.ts';
import { diagnoseS3 } from './diagnose-s3.ts';
import { forgetProbes } from './forget-probes.ts';
import { cleanPrefix, keyBelow, wholeKey } from './object-key.ts';
import { partSizes } from './part-size.ts';
import { probeStore, type Conditional } from './probe-store.ts';
import { S3Bucket, type Completion, type UploadAddress } from './s3-bucket.ts';
import { S3Connection } from './s3-connection.ts';
import { S3Upload } from './s3-upload.ts';

/** Verified in memory before it is staged; an object of more is streamed. */
const SMALL_BYTES = 8 * 1024 ** 2;
const PROBE_FOLDER = '.octo-probe';

/** Objects of one bucket, below one prefix. */
export class S3Sink implements Sink {
  readonly place: string;
  readonly completeGraceMs: number;
  readonly smallBytes: number;
  readonly #config: S3SinkConfig;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #connection: S3Connection;
  readonly #bucket: S3Bucket;
  readonly #blocks: BlockPool;
  #conditional: Conditional | undefined;
  #probing: Promise<void> | undefined;

  constructor(config: S3SinkConfig, clock: Clock, logger: Logger) {
    this.#config = config;
    this.#prefix = cleanPrefix(config.prefix);
    this.#clock = clock;
    this.#logger = logger;
    this.#connection = new S3Connection(config, clock);
    this.#bucket = new S3Bucket(this.#connection, config);
    // What one large upload needs.
    this.#blocks = new BlockPool((config.concurrency + 1) * config.partBytes);
    const host = config.endpoint === undefined ? '' : `${new URL(config.endpoint).host}/`;
    this.place = `s3://${[`${host}${config.bucket}`, this.#prefix].filter(Boolean).join('/')}`;
    this.completeGraceMs = config.completeGraceMs;
    this.smallBytes = Math.min(config.partBytes, SMALL_BYTES);
  }

  /** Settled by the probe; until then the answer is the careful one. */
  get commits(): Sink['commits'] {
    return this.#conditional === 'atomic' ? 'conditional' : 'single-writer';
  }

  /** Probes the store. One that cannot be asked now is probed before the first upload instead. */
  async start(signal: AbortSignal): Promise<void> {
    try {
      await this.#probed(signal);
    } catch (error) {
      signal.throwIfAborted();
      const { type, code, message } = isPluginError(error)
        ? error
        : new PluginError('network', String(error));
      // No warning: whoever needs the store now is told when the upload fails, too.
      this.#logger.info(
        { place: this.place, type, code, reason: message },
        'store could not be probed yet',
      );
    }
  }

  async health(signal: AbortSignal): Promise<void> {
    await this.#bucket.list(this.#prefix, signal);
  }

  diagnose(signal: AbortSignal): AsyncIterable<Diagnosis> {
    const folder = this.#whole(`${PROBE_FOLDER}/${randomUUID()}`);
    return diagnoseS3(this.#config, this.#bucket, folder, signal);
  }

  async stage(object: ObjectToStage, signal: AbortSignal): Promise<Staged> {
    const key = this.#whole(object.key);
    await this.#probed(signal);
    const id = await this.#bucket.create(key, object.metadata, signal);
    const { partBytes, concurrency, checksums } = this.#config;
    return new S3Upload({
      bucket: this.#bucket,
      upload: { key, id },
      partBytes: partSizes(partBytes, object.sizeHint),
      concurrency,
      blocks: this.#blocks,
      withMd5: checksums === 'md5',
      retry: {
        clock: this.#clock,
        random: Math.random,
        onRetry: (error) => this.#logRetry(key, error),
      },
      guard: (upload, replace, signal) => this.#guard(upload, replace, signal),
    });
  }

  async abort(upload: Upload, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const key = this.#whole(upload.key);
    // An id that no store has given was never known. An empty one would even ask for another operation.
    if (!/^[\x21-\x7e]{1,1024}$/.test(upload.id)) return;
    try {
      await this.#bucket.abort({ key, id: upload.id }, signal);
    } catch (error) {
      if (!isPluginError(error) || error.code !== 'NO_SUCH_UPLOAD') throw error;
    }
  }

  async head(key: string, signal: AbortSignal): Promise<VisibleObject | undefined> {
    try {
      const { bytes, metadata, etag, versionId, crc64nvme } = await this.#bucket.head(
        this.#whole(key),
        signal,
      );
      return {
        bytes,
        metadata,
        ...(etag !== undefined && { etag }),
        ...(versionId !== undefined && { versionId }),
        ...(crc64nvme !== undefined && { crc64nvme: Buffer.from(crc64nvme, 'base64') }),
      };
    } catch (error) {
      if (isPluginError(error) && error.type === 'not_found') return undefined;
      throw error;
    }
  }

  /** Facts become the object's tags; what was tagged before is replaced. S3 takes ten. */
  async annotate(
    key: string,
    facts: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#bucket.tag(this.#whole(key), facts, signal);
  }

  async *uploads(signal: AbortSignal): AsyncGenerator<Upload & { readonly startedMs: number }> {
    const prefix = this.#prefix === '' ? '' : `${this.#prefix}/`;
    for await (const { key, id, startedMs } of this.#bucket.uploads(prefix, signal)) {
      const below = keyBelow(this.#prefix, key);
      if (below !== undefined) yield { key: below, id, startedMs };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  #whole(key: string): string {
    return wholeKey(this.#prefix, key);
  }

  /** Resolves when it is known what the store does; asks it only once, whoever comes. */
  async #probed(signal: AbortSignal): Promise<void> {
    while (this.#conditional === undefined) {
      signal.throwIfAborted();
      if (this.#probing !== undefined) {
        // Another's probe may be stopped by the other's signal; then it is our turn.
        await this.#probing.catch(() => {});
        continue;
      }
      this.#probing = this.#probe(signal).finally(() => {
        this.#probing = undefined;
      });
      await this.#probing;
    }
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const folder = this.#whole(`${PROBE_FOLDER}/${randomUUID()}`);
    const conditional = await probeStore(this.#bucket, folder, signal);
    this.#conditional = conditional;
    const fields = { place: this.place, conditional, commits: this.commits };
    if (conditional === 'atomic') this.#logger.info(fields, 'store probed');
    else
      this.#logger.warn(fields, 'store makes no atomic conditional commits: one writer at a time');
    await this.#forgetProbes(signal);
  }

  async #forgetProbes(signal: AbortSignal): Promise<void> {
    try {
      await forgetProbes(this.#bucket, this.#whole(PROBE_FOLDER), this.#clock.now(), signal);
    } catch (error) {
      signal.throwIfAborted();
      // A few objects of ten bytes are no reason to deliver nothing.
      this.#logger.debug({ err: error }, 'objects of earlier probes could not be removed');
    }
  }

  /** Where the store itself does not look whether the place is empty, somebody must: the host's lock makes it safe. */
  async #guard(
    upload: UploadAddress,
    replace: Proof['replace'],
    signal: AbortSignal,
  ): Promise<Completion['condition'] | 'taken'> {
    const wanted = replace ? { ifMatch: replace.etag } : ('empty place' as const);
    if (this.#conditional !== 'ignored' && this.#conditional !== 'refused') return wanted;
    const there = await this.#headWhole(upload.key, signal);
    const fits = replace ? there?.etag === replace.etag : there === undefined;
    if (!fits) return 'taken';
    return this.#conditional === 'refused' ? 'none' : wanted;
  }

  async #headWhole(
    key: string,
    signal: AbortSignal,
  ): Promise<{ etag: string | undefined } | undefined> {
    try {
      return await this.#bucket.head(key, signal);
    } catch (error) {
      if (isPluginError(error) && error.type === 'not_found') return undefined;
      throw error;
    }
  }

  #logRetry(key: string, error: unknown): void {
    const { type, code } = isPluginError(error) ? error : { type: 'unknown', code: undefined };
    this.#logger.info({ key, type, code }, 'part is sent again');
  }
}
