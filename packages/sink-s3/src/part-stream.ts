import { Readable, type Writable } from 'node:stream';

/**
 * The body of one request. A stream goes out chunk by chunk, uncopied, and the SDK computes no SHA-256 over it: the checksum
 * guards it.
 */
export class PartStream extends Readable {
  readonly #chunks: readonly Uint8Array[];
  #next = 0;
  #request: Writable | undefined;

  constructor(chunks: readonly Uint8Array[]) {
    super({ highWaterMark: 1 });
    this.#chunks = chunks;
  }

  /** Whether the operating system has every byte, so that the chunks may be overwritten. */
  get isFlushed(): boolean {
    return this.#request?.writableFinished === true;
  }

  override _read(): void {
    this.push(this.#chunks[this.#next++] ?? null);
  }

  override pipe<T extends NodeJS.WritableStream>(request: T, options?: { end?: boolean }): T {
    this.#request = request as unknown as Writable;
    return super.pipe(request, options);
  }
}
