/**
 * CRC-64/NVME: the full-object checksum that S3 checks at CompleteMultipartUpload and answers to HEAD.
 * Reflected polynomial 0x9a6c9329ac4bc9b5, all ones in and out; check value of "123456789" is ae8b14860a799888.
 * Sixteen tables, sixteen bytes a step; the 64-bit state lives in two 32-bit halves because BigInt is far slower.
 */
const SLICES = 16;
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const POLYNOMIAL_HIGH = 0x9a6c9329 | 0;
const low = new Int32Array(SLICES * 256);
const high = new Int32Array(SLICES * 256);

export class Crc64Nvme {
  #low = -1;
  #high = -1;

  update(chunk: Uint8Array): this {
    let l = this.#low;
    let h = this.#high;
    const sliced = chunk.length - (chunk.length % SLICES);
    let i = 0;
    for (; i < sliced; i += SLICES) {
      const a = l ^ word(chunk, i);
      const b = h ^ word(chunk, i + 4);
      const c = word(chunk, i + 8);
      const d = word(chunk, i + 12);
      l = fold(low, a, b, c, d);
      h = fold(high, a, b, c, d);
    }
    for (; i < chunk.length; i++) {
      const at = (l ^ chunk[i]!) & 255;
      l = ((l >>> 8) | (h << 24)) ^ low[at]!;
      h = (h >>> 8) ^ high[at]!;
    }
    this.#low = l;
    this.#high = h;
    return this;
  }

  /** Eight bytes, big-endian, as S3 writes them. */
  digest(): Buffer {
    const digest = Buffer.allocUnsafe(8);
    digest.writeInt32BE(~this.#high, 0);
    digest.writeInt32BE(~this.#low, 4);
    return digest;
  }
}

function word(chunk: Uint8Array, at: number): number {
  return chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24);
}

function fold(table: Int32Array, a: number, b: number, c: number, d: number): number {
  return (
    table[3840 + (a & 255)]! ^
    table[3584 + ((a >>> 8) & 255)]! ^
    table[3328 + ((a >>> 16) & 255)]! ^
    table[3072 + (a >>> 24)]! ^
    table[2816 + (b & 255)]! ^
    table[2560 + ((b >>> 8) & 255)]! ^
    table[2304 + ((b >>> 16) & 255)]! ^
    table[2048 + (b >>> 24)]! ^
    table[1792 + (c & 255)]! ^
    table[1536 + ((c >>> 8) & 255)]! ^
    table[1280 + ((c >>> 16) & 255)]! ^
    table[1024 + (c >>> 24)]! ^
    table[768 + (d & 255)]! ^
    table[512 + ((d >>> 8) & 255)]! ^
    table[256 + ((d >>> 16) & 255)]! ^
    table[d >>> 24]!
  );
}

for (let byte = 0; byte < 256; byte++) {
  let l = byte;
  let h = 0;
  for (let bit = 0; bit < 8; bit++) {
    const odd = l & 1;
    l = (l >>> 1) | (h << 31);
    h >>>= 1;
    if (odd === 1) {
      l ^= POLYNOMIAL_LOW;
      h ^= POLYNOMIAL_HIGH;
    }
  }
  low[byte] = l;
  high[byte] = h;
}
for (let at = 256; at < SLICES * 256; at++) {
  const l = low[at - 256]!;
  const h = high[at - 256]!;
  low[at] = ((l >>> 8) | (h << 24)) ^ low[l & 255]!;
  high[at] = (h >>> 8) ^ high[l & 255]!;
}
