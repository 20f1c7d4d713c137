import { createDecipheriv, hkdfSync, type CipherOCBTypes, type DecipherOCB } from 'node:crypto';
import type { ByteReader } from '../byte-reader.ts';
import type { Container } from './envelope.ts';
import { decryptFailed } from './failed.ts';

const TAG_BYTES = 16;
/** RFC 9580, 9.3. */
const CIPHERS: { readonly [id: number]: readonly [name: string, keyBytes: number] } = {
  7: ['aes-128', 16],
  8: ['aes-192', 24],
  9: ['aes-256', 32],
};
interface Mode {
  readonly name: string;
  readonly nonceBytes: number;
}
const OCB: Mode = { name: 'ocb', nonceBytes: 15 };
const GCM: Mode = { name: 'gcm', nonceBytes: 12 };
/** RFC 9580, 9.6. 100 is what older openpgp.js wrote for GCM into packets of tag 20. EAX is not in OpenSSL. */
const MODES: { readonly [id: number]: Mode } = { 2: OCB, 3: GCM };
const MODES_OF_TAG_20: { readonly [id: number]: Mode } = { ...MODES, 100: GCM };

/** What a container says of itself: version, cipher, mode, chunk size. */
const HEAD_BYTES = 4;
const SALT_BYTES = 32;

/** Whether node has the mode of a container with this head. */
export function hasAeadMode(tag: number, head: Uint8Array): boolean {
  return modeOf(tag, head) !== undefined;
}

/** Decrypted at a time, for the reason given in cfb-window.ts. */
const PIECE_BYTES = 64 * 1024;

/**
 * The content of a SEIPD packet of version 2 (RFC 9580, 5.13.2), or of packet 20 (LibrePGP). Each chunk is proved
 * before it is handed on; when the content ends without error, none is missing either.
 *
 * @throws PluginError `integrity`
 */
export async function* openAead({ tag, body }: Container, key: Uint8Array): AsyncGenerator<Buffer> {
  const head = (await body.take(HEAD_BYTES)).slice();
  const decipherFor = await start(tag, head, key, body);
  const chunkBytes = 2 ** ((head[3] as number) + 6);
  let total = 0;
  let index = 0;
  while (index === 0 || (await body.peek(TAG_BYTES + 1)).length > TAG_BYTES) {
    const pieces = await openChunk(body, chunkBytes, decipherFor(index));
    for (const piece of pieces) {
      total += piece.length;
      yield piece;
    }
    index += 1;
  }
  finish(decipherFor(index, total), await body.take(TAG_BYTES));
}

/** One chunk, in pieces, proved. */
async function openChunk(
  body: ByteReader,
  chunkBytes: number,
  decipher: DecipherOCB,
): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  let ended = false;
  for (let left = chunkBytes; left > 0 && !ended;) {
    // Two tags may follow, that of the chunk and that of the whole: no byte of them is content.
    const wanted = Math.min(left, PIECE_BYTES) + 2 * TAG_BYTES;
    const ahead = await body.peek(wanted);
    ended = ahead.length < wanted;
    const sealed = ahead.subarray(0, Math.max(0, ahead.length - 2 * TAG_BYTES));
    pieces.push(decipher.update(sealed));
    await body.take(sealed.length);
    left -= sealed.length;
  }
  pieces.push(finish(decipher, await body.take(TAG_BYTES)));
  return pieces;
}

function finish(decipher: DecipherOCB, tag: Uint8Array): Buffer {
  if (tag.length < TAG_BYTES) throw decryptFailed(new Error('ends inside a chunk'));
  decipher.setAuthTag(tag);
  return decipher.final();
}

/** @param total set for the one after the last chunk, which proves that there are no more */
type DecipherFor = (index: number, total?: number) => DecipherOCB;

async function start(
  tag: number,
  head: Uint8Array,
  sessionKey: Uint8Array,
  body: ByteReader,
): Promise<DecipherFor> {
  const [cipher, keyBytes] = CIPHERS[head[1] ?? 0] ?? [];
  const mode = modeOf(tag, head);
  if (cipher === undefined || mode === undefined) throw decryptFailed(new Error('unknown AEAD'));
  const info = Buffer.from([0xc0 | tag, ...head]);
  const name = `${cipher}-${mode.name}`;
  if (tag === 20) {
    return tag20(name, sessionKey, info, await exactly(body, mode.nonceBytes));
  }
  if (sessionKey.length !== keyBytes) throw decryptFailed(new Error('a key of another length'));
  const salt = await exactly(body, SALT_BYTES);
  const derived = Buffer.from(
    hkdfSync('sha256', sessionKey, salt, info, keyBytes + mode.nonceBytes - 8),
  );
  return version2(name, derived.subarray(0, keyBytes), info, derived.subarray(keyBytes));
}

function version2(cipher: string, key: Buffer, info: Buffer, iv: Buffer): DecipherFor {
  return (index, total) => {
    const associated = total === undefined ? [info] : [info, uint64(total)];
    return decipher(cipher, key, Buffer.concat([iv, uint64(index)]), associated);
  };
}

function tag20(cipher: string, key: Uint8Array, info: Buffer, iv: Uint8Array): DecipherFor {
  return (index, total) => {
    const nonce = Buffer.from(iv);
    for (const [at, byte] of uint64(index).entries()) {
      const to = nonce.length - 8 + at;
      nonce[to] = (nonce[to] as number) ^ byte;
    }
    const counts = total === undefined ? [uint64(index)] : [uint64(index), uint64(total)];
    return decipher(cipher, key, nonce, [info, ...counts]);
  };
}

function decipher(
  cipher: string,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: readonly Uint8Array[],
): DecipherOCB {
  // The name decides the mode; the two modes have the same methods.
  const one = createDecipheriv(cipher as CipherOCBTypes, key, nonce, { authTagLength: TAG_BYTES });
  return one.setAAD(Buffer.concat(associated));
}

function modeOf(tag: number, head: Uint8Array): Mode | undefined {
  return (tag === 20 ? MODES_OF_TAG_20 : MODES)[head[2] ?? 0];
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

async function exactly(reader: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw decryptFailed(new Error('ends before the encrypted data'));
  return bytes.slice();
}
