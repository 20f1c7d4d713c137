/**
 * The legacy encryption of replies: single DES in CBC mode under a key made from the account's password, uuencoded. As the
 * `des` tool of libdes does it. Written from its description alone, so that it checks the reader it is tested with.
 */
import { createCipheriv } from 'node:crypto';

/** The text of `bytes` encrypted under the password. @param name what the `begin` line tells */
export function uuDesEncode(bytes: Uint8Array, password: string, name: string): string {
  return uuEncode(desEncrypt(padded(bytes), desKeyOf(password)), name);
}

/** libdes's `string_to_key`: folded, then the checksum of the password under the fold. */
export function desKeyOf(password: string): Buffer {
  const characters = Buffer.from(password, 'latin1');
  const folded = Buffer.alloc(8);
  characters.forEach((character, i) => {
    const at = i % 16 < 8 ? i % 8 : 7 - (i % 8);
    const value = i % 16 < 8 ? character << 1 : reversed(character);
    folded[at] = (folded[at] ?? 0) ^ (value & 0xff);
  });
  const fold = oddParity(folded);
  const whole = Buffer.alloc(Math.ceil(characters.length / 8) * 8);
  characters.copy(whole);
  return oddParity(desEncrypt(whole, fold, fold).subarray(-8));
}

/** @param blocks a multiple of 8 bytes */
function desEncrypt(blocks: Buffer, key: Buffer, iv: Buffer = Buffer.alloc(8)): Buffer {
  // Three times the same key is single DES, which OpenSSL 3 no longer has by name.
  const cipher = createCipheriv('des-ede3-cbc', Buffer.concat([key, key, key]), iv);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(blocks), cipher.final()]);
}

/** One to eight bytes more; the last one says how many of the last block count. */
function padded(bytes: Uint8Array): Buffer {
  const counting = bytes.length % 8;
  const whole = Buffer.alloc(bytes.length - counting + 8, 0xff);
  whole.set(bytes);
  whole[whole.length - 1] = counting;
  return whole;
}

function uuEncode(bytes: Buffer, name: string): string {
  const lines = [`begin 600 ${name}`];
  for (let at = 0; at < bytes.length; at += UU_LINE_BYTES) {
    lines.push(uuLine(bytes.subarray(at, at + UU_LINE_BYTES)));
  }
  return `${[...lines, ' ', 'end'].join('\n')}\n`;
}

function uuLine(bytes: Buffer): string {
  let line = uuCharacter(bytes.length);
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    line += uuCharacter(a >> 2) + uuCharacter(((a & 3) << 4) | (b >> 4));
    line += uuCharacter(((b & 15) << 2) | (c >> 6)) + uuCharacter(c & 63);
  }
  return line;
}

const UU_LINE_BYTES = 45;

/** Zero is a blank, as in the samples that are public; other tools write a back-tick. */
function uuCharacter(sixBits: number): string {
  return String.fromCharCode(32 + sixBits);
}

function reversed(byte: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit += 1) result |= ((byte >> bit) & 1) << (7 - bit);
  return result;
}

function oddParity(key: Buffer): Buffer {
  return Buffer.from(key.map((byte) => (byte & 0xfe) | (isOdd(byte & 0xfe) ? 0 : 1)));
}

function isOdd(byte: number): boolean {
  let ones = 0;
  for (let bit = 0; bit < 8; bit += 1) ones += (byte >> bit) & 1;
  return ones % 2 === 1;
}
