import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import {
  PluginError,
  type Clock,
  type Proof,
  type RemoteFile,
  type Sink,
  type Staged,
} from '@octo/plugin-api';
import { bytesPassed } from './collect-early.ts';
import { ContentHash } from './content-hash.ts';
import { manifestOf, placeMembers, spoolMember, type SpooledMember } from './members.ts';
import { readSource } from './read-source.ts';
import type { Spool } from './spool.ts';
import type { Content, Limits, Step, StepContext } from './step.ts';
import type { StepWatch } from './step-watch.ts';
import { throughSteps } from './through-steps.ts';
import type { Vendor } from './vendor.ts';

/** From here on the ratio of plain to raw bytes counts: tiny files may well grow a thousandfold. */
const RATIO_COUNTS_FROM = 1024 * 1024;

export interface ReceiverOptions {
  readonly file: RemoteFile;
  readonly deliveryId: string;
  readonly vendor: Vendor;
  readonly steps: readonly Step[];
  readonly limits: Limits;
  readonly sink: Sink;
  /** Read the file twice and compare: nothing else proves that it is complete. */
  readonly doubleRead: boolean;
  /** Where steps get a folder from. */
  readonly spool: Spool;
  readonly clock: Clock;
  readonly random: () => number;
  readonly watch: StepWatch;
  readonly onBytes: (bytes: number) => void;
}

/** A file of which every byte was read and every check is green. */
export interface Received {
  readonly rawSha256: Buffer;
  readonly proof: Proof & { readonly sha256: Buffer; readonly crc64nvme: Buffer };
  /** The plain bytes, when they were few enough to hold and nothing was staged. */
  readonly held: readonly Uint8Array[];
  readonly facts: { readonly [name: string]: unknown };
  /** For an archive: commits its members, whose manifest is the object itself. */
  readonly placeMembers?: (key: string, signal: AbortSignal) => Promise<void>;
}

/** Begins the upload that the plain bytes go into. */
export type Stage = (sizeHint: number) => Promise<Staged>;

/** Takes a file from the vendor through the steps into a staged upload, and proves it on the way. */
export class Receiver implements AsyncDisposable {
  readonly #options: ReceiverOptions;
  #folder: string | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the stream has ended and everything agrees. Small content is held instead of staged, so that the upload
   * can begin with its hashes.
   * @throws PluginError `integrity` when something does not agree; whatever vendor, steps and `stage` throw
   */
  async receive(stage: Stage, signal: AbortSignal): Promise<Received> {
    const { steps, watch } = this.#options;
    const expectedRaw = this.#options.doubleRead ? await this.#hashSource(signal) : undefined;
    const facts: Record<string, unknown> = {};
    const warnings: string[] = [];
    const raw: RawCount = { bytes: 0, ...(steps.length > 0 && { sha256: createHash('sha256') }) };
    const context = await this.#stepContext(facts, warnings, signal);
    const options = { ...this.#options, onBytes: (chunk: Uint8Array) => this.#count(raw, chunk) };
    const bytes = watch.source(readSource(options, signal));
    const source: Content = { name: this.#options.file.name, bytes };

    const plain = new PlainContent(this.#options, raw, stage, signal);
    const members: SpooledMember[] = [];
    for await (const content of throughSteps(source, steps, context, watch)) {
      if (content.member === undefined) await plain.take(content.bytes);
      else members.push(await spoolMember(content, context.spoolFolder, (n) => plain.count(n)));
    }
    const whole = plain.finish();
    const rawSha256 = raw.sha256?.digest() ?? whole.proof.sha256;
    this.#checkRaw(raw, rawSha256, expectedRaw);
    if (warnings.length > 0) facts['warnings'] = warnings;
    if (members.length === 0) return { rawSha256, ...whole, facts };
    return { rawSha256, ...this.#archive(members, rawSha256), facts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  async #stepContext(
    facts: Record<string, unknown>,
    warnings: string[],
    signal: AbortSignal,
  ): Promise<StepContext> {
    const { vendor, file, limits, clock, spool, steps } = this.#options;
    const session = await vendor.session(signal);
    if (steps.length > 0) this.#folder ??= await spool.folder();
    return {
      limits,
      clock,
      signal,
      spoolFolder: this.#folder ?? '',
      inspect: () => session.inspect?.(file),
      decode: () => session.decode?.(file),
      normalise: () => session.normalise?.(file),
      warn: (message) => void warnings.push(message),
      remember: (found) => void Object.assign(facts, found),
    };
  }

  #archive(
    members: readonly SpooledMember[],
    rawSha256: Buffer,
  ): Omit<Received, 'rawSha256' | 'facts'> {
    const { deliveryId, file, sink, clock, random, vendor, watch } = this.#options;
    // The member keys depend on the object's key, which may still change: the manifest names them relative to itself.
    const manifest = manifestOf(deliveryId, file, rawSha256, members);
    const hash = new ContentHash();
    hash.update(manifest);
    return {
      proof: hash.proof(),
      held: [manifest],
      placeMembers: (key, signal) =>
        watch.during('stage', bytesOf(members), () =>
          placeMembers(members, key, { sink, clock, random, attempts: vendor.attempts, signal }),
        ),
    };
  }

  async #hashSource(signal: AbortSignal): Promise<Buffer> {
    const hash = createHash('sha256');
    const options = { ...this.#options, onBytes: (chunk: Uint8Array) => this.#progress(chunk) };
    const { watch } = this.#options;
    for await (const chunk of watch.source(readSource(options, signal)))
      watch.hashing(chunk.length, () => hash.update(chunk));
    return hash.digest();
  }

  #count(raw: RawCount, chunk: Uint8Array): void {
    const { sha256 } = raw;
    if (sha256 !== undefined) this.#options.watch.hashing(chunk.length, () => sha256.update(chunk));
    raw.bytes += chunk.length;
    bytesPassed(chunk.length);
    this.#progress(chunk);
  }

  /** Of two readings each counts half, so that the file is through when the second one is. */
  #progress({ length }: Uint8Array): void {
    const { doubleRead, onBytes } = this.#options;
    onBytes(doubleRead ? length / 2 : length);
  }

  #checkRaw(raw: RawCount, sha256: Buffer, expected: Buffer | undefined): void {
    if (raw.bytes !== this.#options.file.size)
      throw new PluginError(
        'integrity',
        `the content ended after ${raw.bytes} of ${this.#options.file.size} bytes; something follows it`,
        { code: 'TRAILING_BYTES' },
      );
    if (expected !== undefined && !expected.equals(sha256))
      throw new PluginError('integrity', 'two readings of the file gave different bytes', {
        code: 'DOUBLE_READ',
      });
  }
}

interface RawCount {
  /** Missing where no step changes the bytes: then the plain bytes' hash is theirs. */
  readonly sha256?: ReturnType<typeof createHash>;
  bytes: number;
}

/** The plain bytes of one object: held while they are few, staged from then on. */
class PlainContent {
  readonly #options: ReceiverOptions;
  readonly #raw: RawCount;
  readonly #stage: Stage;
  readonly #signal: AbortSignal;
  readonly #hash = new ContentHash();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #allBytes = 0;
  #staged: Staged | undefined;
  #writing: { readonly bytes: number; readonly done: Promise<void> } | undefined;
  #taken = false;

  constructor(options: ReceiverOptions, raw: RawCount, stage: Stage, signal: AbortSignal) {
    this.#options = options;
    this.#raw = raw;
    this.#stage = stage;
    this.#signal = signal;
  }

  async take(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#taken) throw new Error('the steps gave two contents for one object');
    this.#taken = true;
    try {
      for await (const chunk of bytes) {
        this.count(chunk.length);
        this.#options.watch.hashing(chunk.length, () => this.#hash.update(chunk));
        await this.#keep(chunk);
      }
      await this.#written();
    } finally {
      await this.#writing?.done.catch(() => {});
    }
  }

  /** Counts plain bytes against the limits. @throws PluginError `integrity` `LIMIT` */
  count(bytes: number): void {
    this.#allBytes += bytes;
    bytesPassed(bytes);
    const { maxBytes, maxRatio } = this.#options.limits;
    if (this.#allBytes > maxBytes)
      throw limit(
        `its content is larger than limits.maxBytes (${maxBytes}); ask the vendor, or raise it`,
      );
    if (this.#allBytes > RATIO_COUNTS_FROM && this.#allBytes > this.#raw.bytes * maxRatio)
      throw limit(
        `its content is more than limits.maxRatio (${maxRatio}) times the file; ask the vendor, or raise it`,
      );
  }

  finish(): Pick<Received, 'proof' | 'held'> {
    return { proof: this.#hash.proof(), held: this.#held };
  }

  async #keep(chunk: Uint8Array): Promise<void> {
    if (this.#staged !== undefined) return await this.#write(this.#staged, chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes <= this.#options.sink.smallBytes) return;
    this.#staged = await this.#stage(this.#options.file.size);
    for (const held of this.#held) await this.#write(this.#staged, held);
    this.#held = [];
  }

  /** While the sink takes a chunk, the next one is fetched; one at a time, so that the sink sets the pace. */
  async #write(staged: Staged, chunk: Uint8Array): Promise<void> {
    await this.#written();
    this.#writing = { bytes: chunk.length, done: staged.write(chunk, this.#signal) };
    // Told by whoever waits for it.
    this.#writing.done.catch(() => {});
  }

  async #written(): Promise<void> {
    if (this.#writing === undefined) return;
    const { bytes, done } = this.#writing;
    await this.#options.watch.during('stage', bytes, () => done);
    this.#writing = undefined;
  }
}

function bytesOf(members: readonly SpooledMember[]): number {
  return members.reduce((sum, { proof }) => sum + proof.bytes, 0);
}

function limit(what: string): PluginError {
  return new PluginError('integrity', what, { code: 'LIMIT' });
}
