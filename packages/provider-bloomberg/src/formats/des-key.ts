import { createCipheriv, createDecipheriv, type Decipheriv } from 'node:crypto';

/**
 * The DES key that libdes makes of a password: the characters are folded into eight bytes, back and forth, and the
 * password's own checksum under that key is the key.
 * @returns 8 bytes of odd parity
 */
export function desKey(password: string): Buffer {
  const bytes = Buffer.from(password, 'latin1');
  const folded = Buffer.alloc(8);
  bytes.forEach((byte, i) => {
    if (i % 16 < 8) folded[i % 8] = (folded[i % 8] as number) ^ (byte << 1);
    else folded[7 - (i % 8)] = (folded[7 - (i % 8)] as number) ^ reversed(byte);
  });
  const first = withOddParity(folded);
  return withOddParity(checksum(bytes, first));
}

/** Single DES in CBC mode with an IV of zeros, without padding. */
export function desDecipher(key: Buffer): Decipheriv {
  return createDecipheriv(ALGORITHM, tripled(key), Buffer.alloc(8)).setAutoPadding(false);
}

/** OpenSSL 3 has single DES only among its legacy algorithms; triple DES with one key three times is the same function. */
const ALGORITHM = 'des-ede3-cbc';

function tripled(key: Buffer): Buffer {
  return Buffer.concat([key, key, key]);
}

/** The last block of the zero-padded bytes, encrypted with `key` as key and IV. */
function checksum(bytes: Buffer, key: Buffer): Buffer {
  const padded = Buffer.alloc(Math.max(8, Math.ceil(bytes.length / 8) * 8));
  bytes.copy(padded);
  const cipher = createCipheriv(ALGORITHM, tripled(key), key).setAutoPadding(false);
  return cipher.update(padded).subarray(-8);
}

function withOddParity(key: Buffer): Buffer {
  return Buffer.from(key.map((byte) => (bitsOf(byte >> 1) % 2 === 0 ? byte | 1 : byte & 0xfe)));
}

function bitsOf(byte: number): number {
  return byte === 0 ? 0 : (byte & 1) + bitsOf(byte >> 1);
}

function reversed(byte: number): number {
  let bits = 0;
  for (let i = 0; i < 8; i += 1) bits |= ((byte >> i) & 1) << (7 - i);
  return bits;
}
