import { createDecipheriv } from 'node:crypto';
import type { DecryptedSessionKey } from 'openpgp';

/** Node's names, and the block size in bytes, of the ciphers that both it and the library have. */
const CFB: { readonly [algorithm: string]: readonly [cipher: string, blockBytes: number] } = {
  aes128: ['aes-128-cfb', 16],
  aes192: ['aes-192-cfb', 16],
  aes256: ['aes-256-cfb', 16],
  tripledes: ['des-ede3-cfb', 8],
};

const TAG = { signature: 2, onePassSignature: 4, compressed: 8, marker: 10, literal: 11 } as const;
const SMALL: ReadonlySet<number> = new Set([TAG.signature, TAG.onePassSignature, TAG.marker]);
/** None, ZIP, ZLIB, BZIP2 (RFC 9580, 9.4). */
const KNOWN_COMPRESSIONS = 4;

/** Of the encrypted data of a SEIPD v1 packet, enough to see its first packets. */
export const START_BYTES = 4096;

/**
 * Whether `sessionKey` may fit: SEIPD v1 begins with a random block whose last two bytes are repeated (RFC 9580,
 * 5.13.1). `undefined` for a cipher that cannot be looked into.
 */
export function fitsStart(sessionKey: DecryptedSessionKey, start: Uint8Array): boolean | undefined {
  const plain = decryptedStart(sessionKey, start);
  if (plain === undefined) return undefined;
  const { bytes, block } = plain;
  return bytes[block - 2] === bytes[block] && bytes[block - 1] === bytes[block + 1];
}

/**
 * Whether the first packets inside are ones of a message. Not a proof of anything: what was changed fails later, but
 * the library stands still on some beginnings that no sender would write.
 */
export function beginsLikeMessage(sessionKey: DecryptedSessionKey, start: Uint8Array): boolean {
  const plain = decryptedStart(sessionKey, start);
  if (plain === undefined) return true;
  let rest = plain.bytes.subarray(plain.block + 2);
  while (rest.length >= 6) {
    const { tag, bodyAt, bodyBytes } = header(rest);
    if (tag === TAG.literal) return true;
    if (tag === TAG.compressed) return (rest[bodyAt] ?? 0) < KNOWN_COMPRESSIONS;
    if (!SMALL.has(tag)) return false;
    rest = rest.subarray(bodyAt + bodyBytes);
  }
  return true;
}

function decryptedStart(
  { algorithm, data }: DecryptedSessionKey,
  start: Uint8Array,
): { readonly bytes: Uint8Array; readonly block: number } | undefined {
  const cfb = CFB[algorithm ?? ''];
  if (cfb === undefined) return undefined;
  const [cipher, block] = cfb;
  return { bytes: createDecipheriv(cipher, data, Buffer.alloc(block)).update(start), block };
}

/** RFC 9580, 4.2; at least six bytes. */
function header(bytes: Uint8Array): { tag: number; bodyAt: number; bodyBytes: number } {
  const view = Buffer.from(bytes);
  const first = view.readUInt8(0);
  if ((first & 0x80) === 0) return { tag: -1, bodyAt: 0, bodyBytes: 0 };
  if ((first & 0x40) === 0) {
    const tag = (first >> 2) & 0x0f;
    const size = [1, 2, 4, 0][first & 3] as number;
    return { tag, bodyAt: 1 + size, bodyBytes: size === 0 ? Infinity : view.readUIntBE(1, size) };
  }
  const tag = first & 0x3f;
  const length = view.readUInt8(1);
  if (length < 192) return { tag, bodyAt: 2, bodyBytes: length };
  if (length < 224) {
    return { tag, bodyAt: 3, bodyBytes: (length - 192) * 256 + view.readUInt8(2) + 192 };
  }
  if (length < 255) return { tag, bodyAt: 2, bodyBytes: 2 ** (length & 0x1f) };
  return { tag, bodyAt: 6, bodyBytes: view.readUInt32BE(2) };
}
