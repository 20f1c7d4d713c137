/**
 * Finds the delimiters in a block of bytes, four bytes at a time: whoever reads rows then looks only at places that
 * matter.
 */
export class Delimiters {
  /** Where they are, in order. */
  places = new Int32Array(0);
  count = 0;

  /** Those of `bytes` between `from` and `to`. */
  find(bytes: Buffer, from: number, to: number, delimiter: number): void {
    if (this.places.length <= to - from) this.places = new Int32Array(2 * (to - from) + 1);
    this.count = 0;
    // A view of whole words begins at a multiple of four in the underlying memory.
    const first = from + ((4 - ((bytes.byteOffset + from) & 3)) & 3);
    if (first > to) {
      this.#bytes(bytes, from, to, delimiter);
      return;
    }
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + first, (to - first) >> 2);
    this.#bytes(bytes, from, first, delimiter);
    this.#words(words, first, delimiter);
    this.#bytes(bytes, first + 4 * words.length, to, delimiter);
  }

  /**
   * Where the delimiter is, `x` has a zero byte, and a word with one has a bit of `(x - ONES) & ~x & HIGH_BITS` set. The
   * lowest byte of a word is the first one: nothing that Node runs on is big-endian any more, but for s390x.
   */
  #words(words: Int32Array, first: number, delimiter: number): void {
    const places = this.places;
    const delimiters = Math.imul(delimiter, ONES);
    const length = words.length;
    let count = this.count;
    for (let i = 0; i < length; i += 1) {
      const x = (words[i] as number) ^ delimiters;
      if (((x - ONES) & ~x & HIGH_BITS) === 0) continue;
      // Each place is written, and counted when it is one: which bytes are delimiters, no processor can foresee.
      const at = first + (i << 2);
      places[count] = at;
      count += Number((x & 0xff) === 0);
      places[count] = at + 1;
      count += Number((x & 0xff_00) === 0);
      places[count] = at + 2;
      count += Number((x & 0xff_00_00) === 0);
      places[count] = at + 3;
      count += Number(x >>> 24 === 0);
    }
    this.count = count;
  }

  #bytes(bytes: Buffer, from: number, to: number, delimiter: number): void {
    for (let at = from; at < to; at += 1)
      if (bytes[at] === delimiter) this.places[this.count++] = at;
  }
}

const ONES = 0x01_01_01_01;
const HIGH_BITS = 0x80_80_80_80;
