import { createCipheriv, createDecipheriv } from 'node:crypto';

/** Bytes decrypted at a time. Buffers of 128 KiB and more come from the system with each use, at twice the price. */
const BATCH_BYTES = 64 * 1024;
const AES_BLOCK = 16;

/** Decrypts `count` bytes of `work` that begin after one block: the one of ciphertext before them. */
type Decrypt = (work: Buffer, count: number) => Buffer;

interface Cfb {
  readonly blockBytes: number;
  readonly start: (key: Uint8Array) => Decrypt;
}

const CFB: { readonly [algorithm: string]: Cfb } = {
  aes128: { blockBytes: AES_BLOCK, start: (key) => aes('aes-128-ecb', key) },
  aes192: { blockBytes: AES_BLOCK, start: (key) => aes('aes-192-ecb', key) },
  aes256: { blockBytes: AES_BLOCK, start: (key) => aes('aes-256-ecb', key) },
  tripledes: { blockBytes: 8, start: tripleDes },
};

/** Whether node has what the cipher needs. By the names of openpgp.js. */
export function hasCfb(algorithm: string): boolean {
  return Object.hasOwn(CFB, algorithm);
}

/** Collects ciphertext and decrypts it in batches, in cipher feedback mode (RFC 9580, 12.9). */
export class CfbWindow {
  readonly blockBytes: number;
  readonly #decrypt: Decrypt;
  /** The block of ciphertext before (at first zeros, the IV), a batch, and what is held back. */
  readonly #work: Buffer;
  #filled: number;

  /** @param heldBack at most 32 bytes; so many at least stay until `decryptRest` */
  constructor(algorithm: string, key: Uint8Array, heldBack: number) {
    const cfb = CFB[algorithm];
    if (cfb === undefined) throw new Error(`no CFB for ${algorithm}`);
    this.blockBytes = cfb.blockBytes;
    this.#decrypt = cfb.start(key);
    this.#work = Buffer.alloc(this.blockBytes + BATCH_BYTES + roundUp(heldBack));
    this.#filled = this.blockBytes;
  }

  /** Takes what fits of the chunk from `at` on. Returns how much that was. */
  add(chunk: Uint8Array, at: number): number {
    const room = this.#work.length - this.#filled;
    const taken = chunk.length - at > room ? chunk.subarray(at, at + room) : chunk.subarray(at);
    this.#work.set(taken, this.#filled);
    this.#filled += taken.length;
    return taken.length;
  }

  get full(): boolean {
    return this.#filled === this.#work.length;
  }

  decryptBatch(): Buffer {
    return this.#take(BATCH_BYTES);
  }

  decryptRest(): Buffer {
    return this.#take(this.#filled - this.blockBytes);
  }

  #take(count: number): Buffer {
    const plain = this.#decrypt(this.#work, count);
    this.#work.copyWithin(0, count, this.#filled);
    this.#filled -= count;
    return plain;
  }
}

/**
 * P[i] = C[i] xor E(C[i-1]): all blocks of ciphertext are known, so they are encrypted at once. Five times as fast as
 * OpenSSL's own CFB, which takes them one after the other.
 */
function aes(cipher: string, key: Uint8Array): Decrypt {
  const ecb = createCipheriv(cipher, key, null).setAutoPadding(false);
  return (work, count) => {
    const whole = roundUp(count);
    const plain = ecb.update(work.subarray(0, whole));
    xorInto(words(plain, 0, whole), words(work, AES_BLOCK, whole));
    return plain.subarray(0, count);
  };
}

function tripleDes(key: Uint8Array): Decrypt {
  const cfb = createDecipheriv('des-ede3-cfb', key, Buffer.alloc(8));
  return (work, count) => cfb.update(work.subarray(8, 8 + count));
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / AES_BLOCK) * AES_BLOCK;
}

function words(bytes: Buffer, from: number, count: number): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset + from, count / 4);
}

/** Four words in a turn: V8 does not unroll loops, and this one is a third of the work. */
function xorInto(target: Int32Array, other: Int32Array): void {
  for (let at = 0; at < target.length; at += 4) {
    target[at]! ^= other[at]!;
    target[at + 1]! ^= other[at + 1]!;
    target[at + 2]! ^= other[at + 2]!;
    target[at + 3]! ^= other[at + 3]!;
  }
}
