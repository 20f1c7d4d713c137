/** Collects the bytes of one part and sums them up as they come. */
import { createHash } from 'node:crypto';
import { CrcJoiner, type Crc64Nvme } from '@octo/crc64nvme';
import { BLOCK_BYTES, type BlockPool } from './block-pool.ts';

/** Up to here chunks are kept as they are: most objects are small, and a block of their own is not. */
const SMALL_BYTES = 256 * 1024;
/** And so many of them: each costs a write. */
const FEW_CHUNKS = 16;

/** A whole part. */
export interface FilledPart {
  readonly bytes: number;
  readonly chunks: readonly Uint8Array[];
  readonly crc64nvme: bigint;
  /** Base64; only when it was wanted. */
  readonly md5: string | undefined;
  /** The chunks may be overwritten: nobody will read them again. */
  readonly release: () => void;
}

/** For all parts: most are equally long. */
const joiner = new CrcJoiner();

export class PartBuffer {
  readonly #pool: BlockPool;
  /** Of the whole object, up to here. */
  readonly #crc: Crc64Nvme;
  readonly #before: bigint;
  readonly #md5;
  #chunks: Uint8Array[] = [];
  /** All full but the last. */
  readonly #blocks: Uint8Array[] = [];
  #bytes = 0;

  /** @param crc of the object so far: the part goes on with it, and finds its own in the difference */
  constructor(pool: BlockPool, crc: Crc64Nvme, withMd5: boolean) {
    this.#pool = pool;
    this.#crc = crc;
    this.#before = crc.digest();
    this.#md5 = withMd5 ? createHash('md5') : undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#crc.update(chunk);
    this.#md5?.update(chunk);
    const bytes = this.#bytes + chunk.length;
    if (this.#blocks.length === 0 && bytes <= SMALL_BYTES && this.#chunks.length < FEW_CHUNKS) {
      this.#chunks.push(chunk);
      this.#bytes = bytes;
      return;
    }
    if (this.#blocks.length === 0) this.#moveIntoBlocks();
    this.#copy(chunk);
  }

  /** Everything so far, in order. Nothing may be added afterwards. */
  take(): FilledPart {
    const last = this.#bytes - (this.#blocks.length - 1) * BLOCK_BYTES;
    const blocks = this.#blocks.map((block, index) =>
      index < this.#blocks.length - 1 ? block : block.subarray(0, last),
    );
    return {
      bytes: this.#bytes,
      chunks: blocks.length > 0 ? blocks : this.#chunks,
      crc64nvme: joiner.rest(this.#before, this.#crc.digest(), this.#bytes),
      md5: this.#md5?.digest('base64'),
      release: () => {
        for (const block of this.#blocks.splice(0)) this.#pool.giveBack(block);
      },
    };
  }

  #moveIntoBlocks(): void {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    for (const chunk of chunks) this.#copy(chunk);
  }

  #copy(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const filled = this.#bytes % BLOCK_BYTES;
      if (filled === 0) this.#blocks.push(this.#pool.take());
      const piece = chunk.subarray(at, at + BLOCK_BYTES - filled);
      this.#blocks.at(-1)?.set(piece, filled);
      this.#bytes += piece.length;
      at += piece.length;
    }
  }
}
