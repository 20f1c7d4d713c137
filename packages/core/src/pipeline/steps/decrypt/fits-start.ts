import { createDecipheriv } from 'node:crypto';
import type { DecryptedSessionKey } from 'openpgp';

/** Node's names, and the block size in bytes, of the ciphers that both it and the library have. */
const CFB: { readonly [algorithm: string]: readonly [cipher: string, blockBytes: number] } = {
  aes128: ['aes-128-cfb', 16],
  aes192: ['aes-192-cfb', 16],
  aes256: ['aes-256-cfb', 16],
  tripledes: ['des-ede3-cfb', 8],
};

/** Of the encrypted data of a SEIPD v1 packet, enough for the largest block and its repetition. */
export const START_BYTES = 18;

/**
 * Whether `sessionKey` may fit: SEIPD v1 begins with a random block whose last two bytes are repeated (RFC 9580,
 * 5.13.1). `undefined` for a cipher that cannot be looked into. To choose between keys only: no message is refused
 * for it.
 */
export function fitsStart(
  { algorithm, data }: DecryptedSessionKey,
  start: Uint8Array,
): boolean | undefined {
  const cfb = CFB[algorithm ?? ''];
  if (cfb === undefined) return undefined;
  const [cipher, block] = cfb;
  const bytes = createDecipheriv(cipher, data, Buffer.alloc(block)).update(start);
  return bytes[block - 2] === bytes[block] && bytes[block - 1] === bytes[block + 1];
}
