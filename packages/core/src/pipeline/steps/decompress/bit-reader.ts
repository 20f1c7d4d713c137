import { decompressFailed } from './failed.ts';

/** Bits of a byte array, the highest first. */
export class BitReader {
  /** In bits, from the beginning of the array. */
  position: number;
  readonly #bytes: Uint8Array;
  readonly #bits: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.#bits = bytes.length * 8;
    this.position = position;
  }

  /** @param count 1 to 24 */
  read(count: number): number {
    const value = this.peek(count);
    this.skip(count);
    return value;
  }

  /** The next bits without going on; zeros after the end. */
  peek(count: number): number {
    const at = this.position >>> 3;
    const b = this.#bytes;
    const word =
      ((b[at] ?? 0) << 24) | ((b[at + 1] ?? 0) << 16) | ((b[at + 2] ?? 0) << 8) | (b[at + 3] ?? 0);
    return (word << (this.position & 7)) >>> (32 - count);
  }

  skip(count: number): void {
    this.position += count;
    if (this.position > this.#bits) throw decompressFailed('is cut off');
  }
}
