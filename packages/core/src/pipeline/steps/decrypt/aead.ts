import { createDecipheriv, hkdfSync, type CipherOCBTypes } from 'node:crypto';
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

/**
 * The content of a SEIPD packet of version 2 (RFC 9580, 5.13.2), or of packet 20 (LibrePGP). Each chunk is proved
 * before it is handed on; when the content ends without error, none is missing either.
 *
 * @throws PluginError `integrity`
 */
export async function* openAead({ tag, body }: Container, key: Uint8Array): AsyncGenerator<Buffer> {
  const head = (await body.take(HEAD_BYTES)).slice();
  const chunks = await start(tag, head, key, body);
  const chunkBytes = 2 ** ((head[3] as number) + 6);
  let total = 0;
  let index = 0;
  for (let ended = false; !ended; index++) {
    // Looked ahead as far as the last tag: what stands there may belong to the chunk or be the end.
    const next = await body.peek(chunkBytes + 2 * TAG_BYTES);
    ended = next.length < chunkBytes + 2 * TAG_BYTES;
    const sealed = await body.take(ended ? next.length - TAG_BYTES : chunkBytes + TAG_BYTES);
    if (ended && index > 0 && sealed.length === 0) break;
    if (sealed.length < TAG_BYTES) throw decryptFailed(new Error('ends inside a chunk'));
    const plain = chunks.open(index, sealed);
    total += plain.length;
    yield plain;
  }
  chunks.open(index, await body.take(TAG_BYTES), total);
}

interface Chunks {
  /** @param total set for the one after the last, which proves that there are no more */
  open(index: number, sealed: Uint8Array, total?: number): Buffer;
}

async function start(
  tag: number,
  head: Uint8Array,
  sessionKey: Uint8Array,
  body: ByteReader,
): Promise<Chunks> {
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

function version2(cipher: string, key: Buffer, info: Buffer, iv: Buffer): Chunks {
  return {
    open: (index, sealed, total) =>
      opened(
        cipher,
        key,
        Buffer.concat([iv, uint64(index)]),
        total === undefined ? info : Buffer.concat([info, uint64(total)]),
        sealed,
      ),
  };
}

function tag20(cipher: string, key: Uint8Array, info: Buffer, iv: Uint8Array): Chunks {
  return {
    open: (index, sealed, total) => {
      const nonce = Buffer.from(iv);
      for (const [at, byte] of uint64(index).entries()) {
        const to = nonce.length - 8 + at;
        nonce[to] = (nonce[to] as number) ^ byte;
      }
      const counts = total === undefined ? [uint64(index)] : [uint64(index), uint64(total)];
      return opened(cipher, key, nonce, Buffer.concat([info, ...counts]), sealed);
    },
  };
}

function opened(
  cipher: string,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Buffer {
  const end = sealed.length - TAG_BYTES;
  if (end < 0) throw decryptFailed(new Error('no room for a tag'));
  const decipher = createDecipheriv(cipher as CipherOCBTypes, key, nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(end));
  decipher.setAAD(associated);
  const plain = decipher.update(sealed.subarray(0, end));
  const rest = decipher.final();
  return rest.length === 0 ? plain : Buffer.concat([plain, rest]);
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
