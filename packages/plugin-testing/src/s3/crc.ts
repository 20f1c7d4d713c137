/**
 * Reflected CRCs with all-ones start and end, byte by byte from a table, and the way to combine the CRCs of two
 * neighbours. Written from the definition, to be an oracle for faster versions elsewhere.
 */

/** A running checksum. */
export interface Crc {
  update(chunk: Uint8Array): void;
  /** Big-endian. */
  digest(): Buffer;
}

/** CRC-32C, Castagnoli, reflected. RFC 3720 B.4 */
const CRC32C_POLYNOMIAL = 0x82f63b78;
/** CRC-64/NVME, reflected. NVM Express Command Set 1.1, 5.2.1.3.4 */
const CRC64_NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

const POLYNOMIALS = {
  CRC32: { polynomial: 0xedb88320n, bits: 32n },
  CRC32C: { polynomial: BigInt(CRC32C_POLYNOMIAL), bits: 32n },
  CRC64NVME: { polynomial: CRC64_NVME_POLYNOMIAL, bits: 64n },
} as const;
export type CrcName = keyof typeof POLYNOMIALS;

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    crc = (crc & 1) === 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1;
  }
  return crc >>> 0;
});

const CRC64_TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) {
    crc = (crc & 1n) === 1n ? (crc >> 1n) ^ CRC64_NVME_POLYNOMIAL : crc >> 1n;
  }
  return crc;
});
const CRC64_LOW = Uint32Array.from(CRC64_TABLE, (entry) => Number(entry & 0xffffffffn));
const CRC64_HIGH = Uint32Array.from(CRC64_TABLE, (entry) => Number(entry >> 32n));

export function crc32c(): Crc {
  let crc = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 0xff] as number);
    },
    digest() {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(~crc >>> 0);
      return digest;
    },
  };
}

export function crc64nvme(): Crc {
  let low = 0xffffffff;
  let high = 0xffffffff;
  return {
    update(chunk) {
      let l = low;
      let h = high;
      for (let i = 0; i < chunk.length; i += 1) {
        const index = (l ^ (chunk[i] as number)) & 0xff;
        l = ((l >>> 8) | (h << 24)) ^ (CRC64_LOW[index] as number);
        h = (h >>> 8) ^ (CRC64_HIGH[index] as number);
      }
      low = l;
      high = h;
    },
    digest() {
      const digest = Buffer.alloc(8);
      digest.writeUInt32BE(~high >>> 0, 0);
      digest.writeUInt32BE(~low >>> 0, 4);
      return digest;
    },
  };
}

/** The CRC of `left` followed by `right`, from the CRCs of the two and the length of the second in bytes. */
export function combineCrcs(
  name: CrcName,
  left: Buffer,
  right: Buffer,
  rightBytes: number,
): Buffer {
  const { polynomial, bits } = POLYNOMIALS[name];
  const shifted = multiply(
    asNumber(left),
    powerOfX8(BigInt(rightBytes), polynomial, bits),
    polynomial,
    bits,
  );
  const hex = (shifted ^ asNumber(right)).toString(16).padStart(Number(bits) / 4, '0');
  return Buffer.from(hex, 'hex');
}

function asNumber(digest: Buffer): bigint {
  return BigInt(`0x${digest.toString('hex')}`);
}

/** x to the power of 8n: appending n zero bytes is a multiplication with it. The top bit stands for x to the 0. */
function powerOfX8(n: bigint, polynomial: bigint, bits: bigint): bigint {
  let result = 1n << (bits - 1n);
  let square = 1n << (bits - 9n);
  for (let rest = n; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(result, square, polynomial, bits);
    square = multiply(square, square, polynomial, bits);
  }
  return result;
}

function multiply(a: bigint, b: bigint, polynomial: bigint, bits: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = bits - 1n; bit >= 0n; bit -= 1n) {
    if (((a >> bit) & 1n) === 1n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}
