import type { ByteReader } from '../byte-reader.ts';
import { decryptFailed } from './failed.ts';

/** Length of a packet's body, or of its first part. `undefined`: until the end of what the packet stands in. */
export type Length = { readonly bytes: number; readonly partial: boolean } | undefined;

export interface PacketHeader {
  readonly tag: number;
  readonly length: Length;
  /** The header as it stood in the file. */
  readonly header: Uint8Array;
}

const NO_PACKET = new Error('no packet where one belongs');

/**
 * Reads the header of the next packet (RFC 9580, 4.2).
 * @throws PluginError `integrity` for what is no header, and for the end of the stream
 */
export async function readHeader(reader: ByteReader): Promise<PacketHeader> {
  const head = await reader.peek(6);
  const [first = 0] = head;
  if ((first & 0x80) === 0) throw decryptFailed(NO_PACKET);
  const newFormat = (first & 0x40) !== 0;
  const tag = newFormat ? first & 0x3f : (first >> 2) & 0x0f;
  if (!newFormat && (first & 3) === 3) {
    return { tag, length: undefined, header: (await reader.take(1)).slice() };
  }
  const size = 1 + (newFormat ? newLengthBytes(head[1] ?? 0) : 2 ** (first & 3));
  const header = (await reader.take(size)).slice();
  if (header.length < size) throw decryptFailed(new Error('ends inside a packet header'));
  const length = newFormat ? newLength(header.subarray(1)) : oldLength(header.subarray(1));
  return { tag, length, header };
}

/**
 * The body of a packet without the length headers inside it, in chunks as the reader has them: many short parts cost
 * no more than one long one. What follows the packet stays in the reader.
 * @throws PluginError `integrity` when the stream ends before the packet
 */
export async function* packetBody(reader: ByteReader, length: Length): AsyncGenerator<Uint8Array> {
  const parts = new Parts(length ?? { bytes: Infinity, partial: false });
  while (!parts.ended) {
    const chunk = await reader.some();
    if (chunk === undefined) {
      if (length === undefined) return;
      throw decryptFailed(new Error('ends inside a packet'));
    }
    const { pieces, used } = parts.of(chunk);
    reader.putBack(chunk.subarray(used));
    if (pieces.length > 0)
      yield pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }
}

/** Where the parts of a body begin and end, while its bytes come in. */
class Parts {
  #left: number;
  #partial: boolean;
  /** The beginning of a length header whose rest is in the next chunk. */
  #header: number[] = [];

  constructor({ bytes, partial }: NonNullable<Length>) {
    this.#left = bytes;
    this.#partial = partial;
  }

  get ended(): boolean {
    return this.#left === 0 && !this.#partial;
  }

  /** What of the chunk is content, and how many of its bytes belong to the packet. */
  of(chunk: Uint8Array): { readonly pieces: Uint8Array[]; readonly used: number } {
    const pieces: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length && !this.ended) {
      if (this.#left > 0) {
        const piece = chunk.subarray(at, Math.min(chunk.length, at + this.#left));
        pieces.push(piece);
        at += piece.length;
        this.#left -= piece.length;
      } else {
        this.#nextHeaderByte(chunk[at++] as number);
      }
    }
    return { pieces, used: at };
  }

  #nextHeaderByte(byte: number): void {
    this.#header.push(byte);
    if (this.#header.length < newLengthBytes(this.#header[0] as number)) return;
    const { bytes, partial } = newLength(this.#header);
    this.#left = bytes;
    this.#partial = partial;
    this.#header = [];
  }
}

/** RFC 9580, 4.2.1. */
function newLengthBytes(first: number): number {
  if (first === 255) return 5;
  return first >= 192 && first < 224 ? 2 : 1;
}

function newLength(bytes: ArrayLike<number>): NonNullable<Length> {
  const first = bytes[0] as number;
  if (first === 255) return { bytes: number(Array.from(bytes).slice(1)), partial: false };
  if (first >= 224) return { bytes: 2 ** (first & 0x1f), partial: true };
  if (first < 192) return { bytes: first, partial: false };
  return { bytes: (first - 192) * 256 + (bytes[1] as number) + 192, partial: false };
}

/** RFC 9580, 4.2.2. */
function oldLength(bytes: Uint8Array): Length {
  return { bytes: number([...bytes]), partial: false };
}

function number(bytes: readonly number[]): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
