import { PluginError } from '@octo/plugin-api';
import { ByteReader } from '../byte-reader.ts';
import { decryptFailed } from './failed.ts';
import { packetBody, readHeader, type Length } from './packet.ts';

/**
 * The outside of an encrypted OpenPGP message (RFC 9580, 4.2 and 10.3): for whom its session key is wrapped, and the
 * container of the encrypted data. Read by ourselves, so that nothing of the file is silently left out, and nothing
 * that a sender writes can make us keep much of it in memory.
 */
export interface Envelope {
  /** The packets that wrap the session key for a public key, each as it stood in the file. */
  readonly recipients: readonly Recipient[];
  /** Whether a password opens the message, too. */
  readonly password: boolean;
  readonly container: Container;
}

export interface Recipient {
  /** 16 hex digits; zeros when the sender hides it. */
  readonly keyId: string;
  readonly packet: Uint8Array;
}

export interface Container {
  /** 18: SEIPD, version 1 or 2. 20: AEAD as LibrePGP has it. */
  readonly tag: 18 | 20;
  readonly version: number;
  /** Its content without length headers; ends only where the file ends. */
  readonly body: ByteReader;
}

export const HIDDEN_KEY_ID = '0000000000000000';

const TAG = { pkesk: 1, skesk: 3, marker: 10, padding: 21, sed: 9, seipd: 18, aead: 20 } as const;
const SIGNED_OR_PLAIN = new Set([2, 4, 8, 11]);
const MAX_HEAD_PACKETS = 256;
const MAX_HEAD_PACKET_BYTES = 64 * 1024;
/** RFC 9580, 5.13.2: chunks of more than 4 MiB are forbidden. We hold one at a time in memory. */
const MAX_CHUNK_SIZE_OCTET = 16;

/**
 * @throws PluginError `integrity` when the file is no encrypted message, or one without protection against changes
 */
export async function readEnvelope(reader: ByteReader, trimTrailing: boolean): Promise<Envelope> {
  const recipients: Recipient[] = [];
  let password = false;
  for (let count = 0; count < MAX_HEAD_PACKETS; count++) {
    await expectPacket(reader);
    const { tag, length, header } = await readHeader(reader);
    if (tag === TAG.seipd || tag === TAG.aead) {
      const body = new ByteReader(wholeBody(reader, length, trimTrailing));
      return { recipients, password, container: await readContainer(tag, body) };
    }
    refuse(tag, count === 0);
    const packet = await readHeadPacket(reader, length);
    if (tag === TAG.pkesk) {
      recipients.push({ keyId: recipientKeyId(packet), packet: Buffer.concat([header, packet]) });
    }
    password ||= tag === TAG.skesk;
  }
  throw decryptFailed(new Error(`more than ${MAX_HEAD_PACKETS} packets before the encrypted data`));
}

/** For a file that does not look like OpenPGP at all. */
export function notOpenPgp(): PluginError {
  return new PluginError(
    'integrity',
    'the file is not an OpenPGP message; remove the decrypt step if the vendor sends it in the clear',
    { code: 'NOT_ENCRYPTED' },
  );
}

async function expectPacket(reader: ByteReader): Promise<void> {
  const [first] = await reader.peek(1);
  if (first === undefined) throw decryptFailed(new Error('ends before the encrypted data'));
  if ((first & 0x80) === 0) throw notOpenPgp();
}

function refuse(tag: number, first: boolean): void {
  if (tag === TAG.pkesk || tag === TAG.skesk || tag === TAG.marker || tag === TAG.padding) return;
  if (tag === TAG.sed) {
    throw new PluginError(
      'integrity',
      'the OpenPGP message carries no protection against changes (SED packet); ask the vendor to encrypt with MDC or AEAD',
      { code: 'NOT_PROTECTED' },
    );
  }
  if (SIGNED_OR_PLAIN.has(tag) && first) {
    throw new PluginError(
      'integrity',
      'the OpenPGP message is signed or packed, but not encrypted; ask the vendor to encrypt it',
      { code: 'NOT_ENCRYPTED' },
    );
  }
  throw first ? notOpenPgp() : decryptFailed(new Error(`packet ${tag} where none belongs`));
}

async function readContainer(tag: 18 | 20, body: ByteReader): Promise<Container> {
  const head = await body.peek(4);
  const version = head[0] ?? 0;
  if (tag === TAG.aead || version === 2) {
    if ((head[3] ?? 255) > MAX_CHUNK_SIZE_OCTET)
      throw decryptFailed(new Error('chunks over 4 MiB'));
  }
  if (version !== 1 && !(tag === TAG.seipd && version === 2)) {
    throw decryptFailed(new Error(`version ${version} of packet ${tag}`));
  }
  return { tag, version, body };
}

async function readHeadPacket(reader: ByteReader, length: Length): Promise<Uint8Array> {
  if (length === undefined || length.partial || length.bytes > MAX_HEAD_PACKET_BYTES) {
    throw decryptFailed(new Error('a session key packet of impossible length'));
  }
  const packet = await reader.take(length.bytes);
  if (packet.length < length.bytes) throw decryptFailed(new Error('ends inside a session key'));
  return packet.slice();
}

/** RFC 9580, 5.1: version 3 names the key by id, version 6 by fingerprint, whose beginning or end is the id. */
function recipientKeyId(packet: Uint8Array): string {
  const hex = Buffer.from(packet).toString('hex');
  if (packet[0] === 3) return hex.slice(2, 18);
  const fingerprintBytes = (packet[1] ?? 0) - 1;
  if (packet[0] !== 6 || fingerprintBytes < 8) return HIDDEN_KEY_ID;
  const fingerprint = hex.slice(6, 6 + 2 * fingerprintBytes);
  return packet[2] === 4 ? fingerprint.slice(-16) : fingerprint.slice(0, 16);
}

async function* wholeBody(
  reader: ByteReader,
  length: Length,
  trimTrailing: boolean,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of packetBody(reader, length)) yield chunk;
  await expectEnd(reader, trimTrailing);
}

async function expectEnd(reader: ByteReader, trimTrailing: boolean): Promise<void> {
  for await (const chunk of reader.rest()) {
    if (trimTrailing && chunk.every((byte) => byte === 0x0d || byte === 0x0a)) continue;
    throw new PluginError(
      'integrity',
      'bytes follow the OpenPGP message: a second message, or junk; ask the vendor, or set "trimTrailing" if these are line ends',
      { code: 'TRAILING_DATA' },
    );
  }
}
