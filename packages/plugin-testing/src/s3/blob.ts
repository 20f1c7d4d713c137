/** Where the bytes of parts and objects are kept: in memory, in files, or not at all. */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** `hash` keeps checksums only: such an object can be listed and headed, but not read. */
export type Keep = 'memory' | 'disk' | 'hash';

export interface Blob {
  readonly bytes: number;
  /** Bytes from `start` up to, not including, `end`. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/** Makes blobs of one kind. Disposing it removes its folder. */
export class BlobStore implements AsyncDisposable {
  readonly #keep: Keep;
  readonly #parentFolder: string;
  #folder: Promise<string> | undefined;

  constructor(keep: Keep, parentFolder: string = tmpdir()) {
    this.#keep = keep;
    this.#parentFolder = parentFolder;
  }

  /** Takes a whole stream. */
  async take(source: AsyncIterable<Uint8Array>): Promise<Blob> {
    if (this.#keep === 'memory') return inMemory(source);
    if (this.#keep === 'hash') return forgotten(source);
    this.#folder ??= mkdtemp(join(this.#parentFolder, 'octo-s3-'));
    return inFile(source, join(await this.#folder, randomUUID()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }
}

/** Several blobs one after the other. */
export async function* readBlobs(
  blobs: readonly Blob[],
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (const blob of blobs) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, blob.bytes);
    if (from < to) yield* blob.read(from, to);
    offset += blob.bytes;
  }
}

async function inMemory(source: AsyncIterable<Uint8Array>): Promise<Blob> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  return {
    bytes: whole.length,
    read: (start, end) => Readable.from([whole.subarray(start, end)]),
    discard: async () => {},
  };
}

async function inFile(source: AsyncIterable<Uint8Array>, path: string): Promise<Blob> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  await pipeline(source, file);
  return {
    bytes: file.bytesWritten,
    read: (start, end) => createReadStream(path, { start, end: end - 1 }),
    discard: () => rm(path, { force: true }),
  };
}

async function forgotten(source: AsyncIterable<Uint8Array>): Promise<Blob> {
  let bytes = 0;
  for await (const chunk of source) bytes += chunk.length;
  return {
    bytes,
    read: () => {
      throw new Error("this simulator keeps hashes only (keep: 'hash')");
    },
    discard: async () => {},
  };
}
