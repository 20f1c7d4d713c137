import type { PartialConfig } from 'openpgp';

/**
 * What we ask of openpgp.js, call by call; its global settings stay as they are.
 * Argon2: 2^18 KiB at most, where the library would let a sender ask for 1 TiB.
 */
export const OPENPGP: PartialConfig = { maxArgon2MemoryExponent: 18 };

/**
 * The same memory as a plain `Uint8Array`. The library copies with `slice`, which on a `Buffer` copies nothing: given
 * Buffers, it overwrites its own nonces and cannot open an AEAD packet of more than one chunk.
 */
export function notBuffer(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
