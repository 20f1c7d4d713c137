/**
 * SFTP version 3 on the wire, from the server's side: requests are parsed, replies are built, byte for byte, so that a
 * test can send what no honest server would. draft-ietf-secsh-filexfer-02.
 *
 * Paths and names are "byte strings": one character for each byte, because the protocol knows no encoding.
 */
export const STATUS = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;

export const REQUEST_NAMES: { readonly [type: number]: string } = {
  1: 'INIT',
  3: 'OPEN',
  4: 'CLOSE',
  5: 'READ',
  6: 'WRITE',
  7: 'LSTAT',
  8: 'FSTAT',
  9: 'SETSTAT',
  10: 'FSETSTAT',
  11: 'OPENDIR',
  12: 'READDIR',
  13: 'REMOVE',
  14: 'MKDIR',
  15: 'RMDIR',
  16: 'REALPATH',
  17: 'STAT',
  18: 'RENAME',
  200: 'EXTENDED',
};

export const OPEN_FLAGS = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 };

/** What a server tells about a file. Times in seconds since the epoch; an absent field is not sent. */
export interface Attributes {
  readonly size?: number;
  readonly mode?: number;
  readonly mtime?: number;
}

export interface ListedName {
  readonly name: string;
  readonly longname: string;
  readonly attributes: Attributes;
}

/** A text as the byte string that goes over the wire. */
export function byteString(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('latin1');
}

/** A byte string for people: decoded as UTF-8. */
export function readable(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Reads the fields of one request. @throws RangeError when the packet is too short */
export class PacketReader {
  readonly #packet: Buffer;
  #at = 0;

  constructor(packet: Buffer) {
    this.#packet = packet;
  }

  byte(): number {
    return this.#packet.readUInt8(this.#at++);
  }

  uint32(): number {
    this.#at += 4;
    return this.#packet.readUInt32BE(this.#at - 4);
  }

  uint64(): number {
    this.#at += 8;
    return Number(this.#packet.readBigUInt64BE(this.#at - 8));
  }

  bytes(): Buffer {
    const length = this.uint32();
    if (this.#at + length > this.#packet.length) throw new RangeError('string beyond packet');
    this.#at += length;
    return this.#packet.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString('latin1');
  }
}

export function versionReply(): Buffer {
  return framed(2, [uint32(3)]);
}

export function statusReply(id: number, code: number, message: string): Buffer {
  return framed(101, [uint32(id), uint32(code), lengthPrefixed(Buffer.from(message)), uint32(0)]);
}

export function handleReply(id: number, handle: string): Buffer {
  return framed(102, [uint32(id), lengthPrefixed(Buffer.from(handle, 'latin1'))]);
}

export function dataReply(id: number, data: Uint8Array): Buffer {
  return framed(103, [uint32(id), uint32(data.length), data]);
}

export function nameReply(id: number, names: readonly ListedName[]): Buffer {
  const parts = names.flatMap((entry) => [
    lengthPrefixed(Buffer.from(entry.name, 'latin1')),
    lengthPrefixed(Buffer.from(entry.longname, 'latin1')),
    attributes(entry.attributes),
  ]);
  return framed(104, [uint32(id), uint32(names.length), ...parts]);
}

export function attributesReply(id: number, value: Attributes): Buffer {
  return framed(105, [uint32(id), attributes(value)]);
}

/** A NAME reply that promises an entry and ends. */
export function malformedReply(id: number): Buffer {
  return framed(104, [uint32(id), uint32(1), uint32(999)]);
}

function attributes({ size, mode, mtime }: Attributes): Buffer {
  const flags =
    (size === undefined ? 0 : 1) | (mode === undefined ? 0 : 4) | (mtime === undefined ? 0 : 8);
  return Buffer.concat([
    uint32(flags),
    size === undefined ? Buffer.alloc(0) : uint64(size),
    mode === undefined ? Buffer.alloc(0) : uint32(mode),
    mtime === undefined ? Buffer.alloc(0) : Buffer.concat([uint32(mtime), uint32(mtime)]),
  ]);
}

function framed(type: number, parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  return Buffer.concat([uint32(length), Buffer.of(type), ...parts]);
}

function lengthPrefixed(bytes: Uint8Array): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
