import { createHash } from 'node:crypto';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { receivingKey, type SeededRandom } from '@octo/plugin-testing';
import {
  AEADEncryptedDataPacket,
  config as defaults,
  encryptSessionKey,
  enums,
  readKey,
  SymEncryptedIntegrityProtectedDataPacket,
} from 'openpgp';

export type Cipher = 'aes128' | 'aes192' | 'aes256' | 'tripledes' | 'cast5';
export type Mode = 'ocb' | 'gcm' | 'eax';

/** How packets are encrypted for the receiving key. */
export interface Sealing {
  readonly protection: 'SEIPDv1' | 'SEIPDv2' | 'AEAD';
  readonly cipher: Cipher;
  /** Of the last two protections. */
  readonly mode: Mode;
  /** Chunks of 2^(6 + this) bytes. */
  readonly chunkSizeByte: number;
}

export const SEIPD1: Sealing = {
  protection: 'SEIPDv1',
  cipher: 'aes256',
  mode: 'ocb',
  chunkSizeByte: 0,
};

const KEY_BYTES = { aes128: 16, aes192: 24, aes256: 32, tripledes: 24, cast5: 16 } as const;

/** `packets`, whatever they are, as a message that is whole: what is wrong with it is inside. */
export async function sealed(packets: Uint8Array, sealing: Sealing = SEIPD1): Promise<Buffer> {
  const { protection, cipher, mode, chunkSizeByte } = sealing;
  const key = new Uint8Array(
    createHash('sha512').update(packets).digest().subarray(0, KEY_BYTES[cipher]),
  );
  const container = Object.assign(
    protection === 'AEAD'
      ? new AEADEncryptedDataPacket()
      : new SymEncryptedIntegrityProtectedDataPacket(),
    {
      version: protection === 'SEIPDv2' ? 2 : 1,
      aeadAlgorithm: enums.aead[mode],
      packets: {
        write: () =>
          protection === 'SEIPDv1'
            ? new Uint8Array(packets)
            : ReadableStream.from([new Uint8Array(packets)]),
      },
    },
  ) as unknown as {
    encrypt(cipher: number, key: Uint8Array, config: object): Promise<void>;
    write(): Uint8Array;
  };
  await container.encrypt(enums.symmetric[cipher], key, {
    ...defaults,
    aeadChunkSizeByte: chunkSizeByte,
  });
  const wrapped = await encryptSessionKey({
    data: key,
    algorithm: cipher,
    ...(protection === 'SEIPDv2' ? { aeadAlgorithm: mode } : {}),
    encryptionKeys: await readKey({ armoredKey: receivingKey.publicKey }),
    format: 'binary',
  });
  const body = (await collected(container.write())) as Uint8Array;
  return Buffer.concat([wrapped, packet(protection === 'AEAD' ? 20 : 18, body)]);
}

async function collected(written: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (written instanceof Uint8Array) return written;
  return Buffer.concat(await Array.fromAsync(written));
}

/** A packet of the new format with a length of five bytes. */
export function packet(tag: number, body: Uint8Array | string, length = body.length): Buffer {
  const header = Buffer.from([0xc0 | tag, 0xff, 0, 0, 0, 0]);
  header.writeUInt32BE(length, 2);
  return Buffer.concat([header, Buffer.from(body)]);
}

/** The same in parts of the sizes 2^exponent; the rest comes last. */
export function inParts(tag: number, body: Uint8Array, exponents: Iterable<number>): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0xc0 | tag])];
  let rest = body;
  for (const exponent of exponents) {
    if (rest.length <= 2 ** exponent) break;
    parts.push(Buffer.from([0xe0 | exponent]), rest.subarray(0, 2 ** exponent));
    rest = rest.subarray(2 ** exponent);
  }
  return Buffer.concat([...parts, packet(tag, rest).subarray(1)]);
}

/** A packet of the old format; with a length of no bytes it ends where the rest ends. */
export function oldPacket(tag: number, body: Uint8Array, lengthBytes: 0 | 1 | 2 | 4): Buffer {
  const header = Buffer.alloc(1 + lengthBytes);
  header[0] = 0x80 | (tag << 2) | { 0: 3, 1: 0, 2: 1, 4: 2 }[lengthBytes];
  if (lengthBytes > 0) header.writeUIntBE(body.length, 1, lengthBytes);
  return Buffer.concat([header, body]);
}

export function literalBody(content: Uint8Array | string, format = 'b', name = ''): Buffer {
  const head = Buffer.from([format.charCodeAt(0), name.length]);
  return Buffer.concat([head, Buffer.from(name), Buffer.alloc(4), Buffer.from(content)]);
}

export function literal(content: Uint8Array | string): Buffer {
  return packet(11, literalBody(content));
}

export function compressedBody(packets: Uint8Array, how: 'none' | 'zip' | 'zlib'): Buffer {
  const none = () => Buffer.from(packets);
  const data = { none, zip: () => deflateRawSync(packets), zlib: () => deflateSync(packets) }[
    how
  ]();
  return Buffer.concat([Buffer.from([{ none: 0, zip: 1, zlib: 2 }[how]]), data]);
}

export function randomBytesOf(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.whole(0, 255)));
}

/** `bytes` with a few bits, bytes or pieces changed, doubled, moved or missing. */
export function mutant(bytes: Uint8Array, random: SeededRandom): Buffer {
  let changed = Buffer.from(bytes);
  for (let count = random.whole(1, 3); count > 0; count--) {
    const at = random.whole(0, changed.length - 1);
    const to = Math.min(changed.length, at + random.whole(1, 40));
    const [before, piece, after] = [
      changed.subarray(0, at),
      changed.subarray(at, to),
      changed.subarray(to),
    ];
    changed = random.pick([
      () =>
        Buffer.concat(
          [
            before,
            [(changed[at] as number) ^ (1 << random.whole(0, 7))] as never,
            changed.subarray(at + 1),
          ].map((part) => Buffer.from(part)),
        ),
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, piece, piece, after]),
      () => Buffer.concat([before, randomBytesOf(random, piece.length), after]),
      () => Buffer.concat([before, Buffer.alloc(piece.length, random.pick([0, 0xff])), after]),
      () => Buffer.concat([after, before]),
    ])();
    if (changed.length === 0) return Buffer.from([0]);
  }
  return changed;
}
