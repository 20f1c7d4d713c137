import type { PublicKey } from 'openpgp';
import { ByteReader } from '../byte-reader.ts';
import { decompressed } from './compression.ts';
import { decryptFailed } from './failed.ts';
import type { Opened } from './open-container.ts';
import { packetBody, readHeader, type Length, type PacketHeader } from './packet.ts';
import { Signatures } from './signatures.ts';

const TAG = { signature: 2, onePassSignature: 4, compressed: 8, literal: 11 } as const;
/** Marker, trust, padding (RFC 9580, 5.8, 5.10, 5.14). */
const IGNORED: ReadonlySet<number> = new Set([10, 12, 21]);
/** From here on, packets that a program does not know are to be left out (RFC 9580, 4.3). */
const FIRST_NON_CRITICAL = 40;

const MAX_PACKETS = 256;
const MAX_SIGNATURE_BYTES = 64 * 1024;
/** Padding costs a sender nothing when it is compressed. Outside it costs what it weighs. */
const MAX_COMPRESSED_PADDING = 1024 * 1024;

/**
 * Reads what is inside an encrypted container (RFC 9580, 10.3): one literal packet, compressed at most once, with its
 * signatures around it, and nothing else.
 *
 * @param content of the container, which throws at its end when it was changed
 * @throws PluginError `integrity`, from here or from the plaintext
 */
export async function openMessage(
  content: AsyncIterable<Uint8Array>,
  signers: readonly PublicKey[],
  date: Date,
): Promise<Opened> {
  const message = new MessageReader(signers);
  const plaintext = new ByteReader(message.read(new ByteReader(content)));
  await plaintext.peek(1);
  return {
    plaintext: plaintext.rest(),
    claimedSigners: message.signatures.claimed,
    signer: () => message.signatures.firstSigner(date),
    [Symbol.asyncDispose]: () => plaintext[Symbol.asyncDispose](),
  };
}

class MessageReader {
  readonly #signers: readonly PublicKey[];
  /** Those of the literal packet; around a compressed one they say nothing about what is in it. */
  signatures: Signatures;

  constructor(signers: readonly PublicKey[]) {
    this.#signers = signers;
    this.signatures = new Signatures(signers);
  }

  /** What is wrong inside is told after the proof of the container, so that it tells nobody how we decrypt. */
  async *read(content: ByteReader): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#packets(content, false);
    } catch (error) {
      while ((await content.some()) !== undefined) {
        // until the end
      }
      throw error;
    }
  }

  async *#packets(reader: ByteReader, compressed: boolean): AsyncGenerator<Uint8Array> {
    const signatures = new Signatures(this.#signers);
    this.signatures = signatures;
    let hasContent = false;
    let padding = 0;
    for (let count = 0; (await reader.peek(1)).length > 0; count++) {
      if (count === MAX_PACKETS) throw decryptFailed(new Error('too many packets'));
      const packet = await readHeader(reader);
      const { tag, length } = packet;
      if (IGNORED.has(tag) || tag >= FIRST_NON_CRITICAL) {
        padding += await skip(
          reader,
          length,
          compressed ? MAX_COMPRESSED_PADDING - padding : Infinity,
        );
      } else if (tag === TAG.signature) {
        const bytes = await wholePacket(reader, packet);
        await (hasContent ? signatures.after(bytes) : signatures.before(bytes));
      } else if (tag === TAG.onePassSignature && !hasContent) {
        const bytes = await wholePacket(reader, packet);
        signatures.announce(bytes.subarray(packet.header.length));
      } else if (tag === TAG.literal && !hasContent) {
        hasContent = true;
        yield* literal(reader, length, signatures);
      } else if (tag === TAG.compressed && !hasContent && !compressed) {
        hasContent = true;
        const body = new ByteReader(packetBody(reader, length));
        await using inner = new ByteReader(decompressed(body));
        yield* this.#packets(inner, true);
      } else {
        throw decryptFailed(new Error(`packet ${tag} where none belongs`));
      }
    }
    if (!hasContent) throw decryptFailed(new Error('no content'));
    signatures.end();
  }
}

/** RFC 9580, 5.9. Its name and date are a sender's claims, of no use to us. */
async function* literal(
  reader: ByteReader,
  length: Length,
  signatures: Signatures,
): AsyncGenerator<Uint8Array> {
  const body = new ByteReader(packetBody(reader, length));
  const [, nameBytes = 0] = await exactly(body, 2);
  await exactly(body, nameBytes + 4);
  for (let chunk = await body.some(); chunk !== undefined; chunk = await body.some()) {
    signatures.update(chunk);
    yield chunk;
  }
}

async function wholePacket(reader: ByteReader, { length, header }: PacketHeader): Promise<Buffer> {
  if (length === undefined || length.partial || length.bytes > MAX_SIGNATURE_BYTES) {
    throw decryptFailed(new Error('a signature of impossible length'));
  }
  return Buffer.concat([header, await exactly(reader, length.bytes)]);
}

async function skip(reader: ByteReader, length: Length, maxBytes: number): Promise<number> {
  if (length === undefined || length.partial || length.bytes > maxBytes) {
    throw decryptFailed(new Error('a packet of impossible length'));
  }
  for await (const chunk of packetBody(reader, length)) void chunk;
  return length.bytes;
}

async function exactly(reader: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw decryptFailed(new Error('ends inside a packet'));
  return bytes;
}
