import { createKernel, LEAST, STEP, type Kernel } from './kernel.ts';
import { timesX } from './polynomial.ts';

/**
 * CRC-64/NVME, the full-object checksum of S3: three times as fast as JavaScript can be, which has no numbers of 64 bits.
 *
 * The host sums up each chunk and hands it to the sink, which sums up what it is given. The second sum over the same chunk,
 * after the same bytes, is remembered from the first one; whoever is given another chunk, another order or one too few
 * comes to another sum. So the bytes of a chunk may not change between the two.
 */
export class Crc64Nvme {
  #remainder = ONES;

  update(bytes: Uint8Array): this {
    const known = sums.get(bytes);
    if (known?.before === this.#remainder) {
      this.#remainder = known.after;
      return this;
    }
    const before = this.#remainder;
    this.#compute(bytes);
    if (bytes.length >= WORTH_REMEMBERING) sums.set(bytes, { before, after: this.#remainder });
    return this;
  }

  digest(): bigint {
    return this.#remainder ^ ONES;
  }

  #compute(bytes: Uint8Array): void {
    kernel ??= createKernel();
    let at = 0;
    while (bytes.length - at >= LEAST) at += this.#block(kernel, bytes.subarray(at));
    if (at < bytes.length) this.#few(bytes.subarray(at));
  }

  /** Whole steps from the beginning, as many as a block holds. Returns how many bytes they were. */
  #block(kernel: Kernel, bytes: Uint8Array): number {
    const { block } = kernel;
    const most = Math.min(bytes.length, block.length);
    const taken = most - (most % STEP);
    block.set(taken === bytes.length ? bytes : bytes.subarray(0, taken));
    this.#remainder = kernel.run(this.#remainder, taken);
    return taken;
  }

  #few(bytes: Uint8Array): void {
    let remainder = this.#remainder;
    for (const byte of bytes) {
      remainder = (remainder >> 8n) ^ (table[Number(remainder & 0xffn) ^ byte] as bigint);
    }
    this.#remainder = remainder;
  }
}

/** Eight bytes, big-endian, as S3 writes them. */
export function crcToBytes(crc: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(crc);
  return bytes;
}

const ONES = 2n ** 64n - 1n;

const WORTH_REMEMBERING = 4096;

/** The latest sum over a chunk, as long as anybody has the chunk. */
const sums = new WeakMap<Uint8Array, { readonly before: bigint; readonly after: bigint }>();

/** All checksums share it: each is done with it before the next begins. */
let kernel: Kernel | undefined;

const table = Array.from({ length: 256 }, (_, byte) => {
  let remainder = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) remainder = timesX(remainder);
  return remainder;
});
