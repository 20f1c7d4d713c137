/**
 * CRC-64/NVME, the full-object checksum of S3, sixteen bytes a step, and the checksum of two neighbours from their own.
 * Reflected polynomial 9a6c9329ac4bc9b5, all ones at both ends. NVM Express Command Set 1.1, 5.2.1.3.4
 */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const STRIDE = 16;
/** The top bit stands for x to the power of 0. */
const ONE = 1n << 63n;
const X8 = 1n << 55n;

/** Entry `256 * k + b` is the CRC of byte `b` followed by `k` zero bytes, in two halves. */
const LOW = new Int32Array(256 * STRIDE);
const HIGH = new Int32Array(256 * STRIDE);
fillTables();

export class Crc64Nvme {
  #low = -1;
  #high = -1;

  update(bytes: Uint8Array): this {
    const strided = bytes.length - (bytes.length % STRIDE);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < strided; at += STRIDE) {
      const a = low ^ view.getInt32(at, true);
      const b = high ^ view.getInt32(at + 4, true);
      const c = view.getInt32(at + 8, true);
      const d = view.getInt32(at + 12, true);
      low = look(LOW, a, 15) ^ look(LOW, b, 11) ^ look(LOW, c, 7) ^ look(LOW, d, 3);
      high = look(HIGH, a, 15) ^ look(HIGH, b, 11) ^ look(HIGH, c, 7) ^ look(HIGH, d, 3);
    }
    for (let at = strided; at < bytes.length; at += 1) {
      const index = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[index] as number);
      high = (high >>> 8) ^ (HIGH[index] as number);
    }
    this.#low = low;
    this.#high = high;
    return this;
  }

  digest(): bigint {
    return (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0);
  }
}

/** Eight bytes, big-endian. */
export function crcToBytes(crc: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(crc);
  return bytes;
}

/** Joins CRCs of neighbouring pieces; keeps the factors of lengths it has seen, as most parts are equally long. */
export class CrcJoiner {
  readonly #factors = new Map<number, bigint>();

  /** The CRC of `left` followed by `right`, which is `rightBytes` long. */
  join(left: bigint, right: bigint, rightBytes: number): bigint {
    const factor = this.#factors.get(rightBytes) ?? powerOfX8(rightBytes);
    this.#factors.set(rightBytes, factor);
    return multiply(left, factor) ^ right;
  }
}

/** Four tables for the four bytes of a word, the first byte in the table of the highest number. */
function look(table: Int32Array, word: number, top: number): number {
  return (
    (table[256 * top + (word & 0xff)] as number) ^
    (table[256 * (top - 1) + ((word >>> 8) & 0xff)] as number) ^
    (table[256 * (top - 2) + ((word >>> 16) & 0xff)] as number) ^
    (table[256 * (top - 3) + (word >>> 24)] as number)
  );
}

function fillTables(): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = BigInt(byte);
    for (let zeros = 0; zeros < STRIDE; zeros += 1) {
      for (let bit = 0; bit < 8; bit += 1) crc = times(crc);
      LOW[256 * zeros + byte] = Number(BigInt.asIntN(32, crc));
      HIGH[256 * zeros + byte] = Number(BigInt.asIntN(32, crc >> 32n));
    }
  }
}

/** Multiplies by x. */
function times(value: bigint): bigint {
  return (value & 1n) === 1n ? (value >> 1n) ^ POLYNOMIAL : value >> 1n;
}

function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= shifted;
    shifted = times(shifted);
  }
  return product;
}

function powerOfX8(exponent: number): bigint {
  let result = ONE;
  let square = X8;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}
