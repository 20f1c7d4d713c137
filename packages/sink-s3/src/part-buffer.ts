/**
 * Collects the chunks of one part and sums them up as they come. Large ones are kept as they are; small ones are copied
 * together, as each costs a write.
 */
import { createHash } from 'node:crypto';
import { Crc64Nvme } from '@octo/crc64nvme';

const SMALL_BYTES = 16 * 1024;
const BLOCK_BYTES = 256 * 1024;

/** A whole part. */
export interface FilledPart {
  readonly bytes: number;
  readonly chunks: readonly Uint8Array[];
  readonly crc64nvme: bigint;
  /** Base64; only when it was wanted. */
  readonly md5: string | undefined;
}

export class PartBuffer {
  readonly #crc = new Crc64Nvme();
  readonly #md5;
  readonly #chunks: Uint8Array[] = [];
  #block: Uint8Array | undefined;
  #filled = 0;
  #bytes = 0;

  constructor(withMd5: boolean) {
    this.#md5 = withMd5 ? createHash('md5') : undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#bytes += chunk.length;
    this.#crc.update(chunk);
    this.#md5?.update(chunk);
    if (chunk.length >= SMALL_BYTES) {
      this.#closeBlock();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#filled + chunk.length > BLOCK_BYTES) this.#closeBlock();
    this.#block ??= new Uint8Array(BLOCK_BYTES);
    this.#block.set(chunk, this.#filled);
    this.#filled += chunk.length;
  }

  /** Everything so far, in order. Nothing may be added afterwards. */
  take(): FilledPart {
    this.#closeBlock();
    return {
      bytes: this.#bytes,
      chunks: this.#chunks,
      crc64nvme: this.#crc.digest(),
      md5: this.#md5?.digest('base64'),
    };
  }

  #closeBlock(): void {
    if (this.#block === undefined) return;
    // A block that is hardly filled must not keep its whole size alive.
    const filled = this.#block.subarray(0, this.#filled);
    this.#chunks.push(this.#filled < BLOCK_BYTES / 2 ? filled.slice() : filled);
    this.#block = undefined;
    this.#filled = 0;
  }
}
