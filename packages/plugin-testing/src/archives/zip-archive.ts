import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string | Uint8Array;
  readonly content: Uint8Array;
  /** Not compressed. */
  readonly stored?: boolean;
  /** Sizes behind the data, as programs write them that cannot go back. */
  readonly descriptor?: boolean;
  /** Sizes and offset in 64 bits. */
  readonly zip64?: boolean;
  /** Unix file mode with its type. Default: a regular file. */
  readonly mode?: number;
  /** What the archive says about this member although it is not so. */
  readonly lies?: {
    readonly localName?: string;
    readonly crc?: number;
    readonly size?: number;
    readonly flags?: number;
    readonly method?: number;
    readonly offset?: number;
    /** Stands in the directory only. */
    readonly absent?: boolean;
  };
}

export interface ZipLies {
  /** How many members the end of the directory counts. */
  readonly count?: number;
  readonly before?: Uint8Array;
  readonly between?: Uint8Array;
  readonly after?: Uint8Array;
}

/** A zip archive, honest or not, for tests of what takes archives apart. */
export function zipArchive(members: readonly ZipMember[], lies: ZipLies = {}): Buffer {
  const body: Uint8Array[] = [lies.before ?? Buffer.alloc(0)];
  const directory: Uint8Array[] = [];
  for (const member of members) {
    const offset = length(body);
    const packed = pack(member);
    if (!member.lies?.absent) {
      body.push(localHeader(member, packed), packed, descriptor(member, packed));
    }
    if (member !== members.at(-1)) body.push(lies.between ?? Buffer.alloc(0));
    directory.push(directoryEntry(member, packed, member.lies?.offset ?? offset));
  }
  const start = length(body);
  const end = directoryEnd(lies.count ?? members.length, start, length(directory), members);
  return Buffer.concat([...body, ...directory, end, lies.after ?? Buffer.alloc(0)]);
}

const UTF8 = 0x0800;
const DESCRIPTOR = 0x08;
const IN_ZIP64 = 0xffffffff;
const REGULAR_FILE = 0o100644;
const UNIX_45 = 0x032d;

function pack({ content, stored }: ZipMember): Buffer {
  return stored ? Buffer.from(content) : deflateRawSync(content);
}

function localHeader(member: ZipMember, packed: Buffer): Buffer {
  const name = nameOf(member.lies?.localName ?? member.name);
  const extra = member.zip64 ? zip64Extra([sizeOf(member), packed.length]) : Buffer.alloc(0);
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 'latin1');
  writeFacts(header, 4, member, packed, member.descriptor ?? false);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

function directoryEntry(member: ZipMember, packed: Buffer, offset: number): Buffer {
  const name = nameOf(member.name);
  const extra = member.zip64
    ? zip64Extra([sizeOf(member), packed.length, offset])
    : Buffer.alloc(0);
  const entry = Buffer.alloc(46);
  entry.write('PK\x01\x02', 'latin1');
  entry.writeUInt16LE(UNIX_45, 4);
  writeFacts(entry, 6, member, packed, false);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  entry.writeUInt32LE(((member.mode ?? REGULAR_FILE) << 16) >>> 0, 38);
  entry.writeUInt32LE(member.zip64 ? IN_ZIP64 : offset, 42);
  return Buffer.concat([entry, name, extra]);
}

/** What local header and directory have in common: version, flags, method, time, CRC and sizes. */
function writeFacts(
  header: Buffer,
  at: number,
  member: ZipMember,
  packed: Buffer,
  sizesLater: boolean,
): void {
  const flags = (member.lies?.flags ?? 0) | UTF8 | (member.descriptor ? DESCRIPTOR : 0);
  header.writeUInt16LE(member.zip64 ? 45 : 20, at);
  header.writeUInt16LE(flags, at + 2);
  header.writeUInt16LE(member.lies?.method ?? (member.stored ? 0 : 8), at + 4);
  if (sizesLater) return;
  header.writeUInt32LE(crcOf(member), at + 10);
  header.writeUInt32LE(member.zip64 ? IN_ZIP64 : packed.length, at + 14);
  header.writeUInt32LE(member.zip64 ? IN_ZIP64 : sizeOf(member), at + 18);
}

function descriptor(member: ZipMember, packed: Buffer): Buffer {
  if (!member.descriptor) return Buffer.alloc(0);
  const bytes = Buffer.alloc(16);
  bytes.write('PK\x07\x08', 'latin1');
  bytes.writeUInt32LE(crcOf(member), 4);
  bytes.writeUInt32LE(packed.length, 8);
  bytes.writeUInt32LE(sizeOf(member), 12);
  return bytes;
}

function directoryEnd(
  count: number,
  start: number,
  size: number,
  members: readonly ZipMember[],
): Buffer {
  const zip64 = members.some((member) => member.zip64);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? IN_ZIP64 : size, 12);
  end.writeUInt32LE(zip64 ? IN_ZIP64 : start, 16);
  return zip64 ? Buffer.concat([zip64End(count, start, size), end]) : end;
}

function zip64End(count: number, start: number, size: number): Buffer {
  const bytes = Buffer.alloc(56 + 20);
  bytes.write('PK\x06\x06', 'latin1');
  bytes.writeBigUInt64LE(44n, 4);
  bytes.writeUInt16LE(UNIX_45, 12);
  bytes.writeUInt16LE(45, 14);
  bytes.writeBigUInt64LE(BigInt(count), 24);
  bytes.writeBigUInt64LE(BigInt(count), 32);
  bytes.writeBigUInt64LE(BigInt(size), 40);
  bytes.writeBigUInt64LE(BigInt(start), 48);
  bytes.write('PK\x06\x07', 56, 'latin1');
  bytes.writeBigUInt64LE(BigInt(start + size), 64);
  bytes.writeUInt32LE(1, 72);
  return bytes;
}

function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, index) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index));
  return extra;
}

function crcOf({ content, lies }: ZipMember): number {
  return lies?.crc ?? crc32(content);
}

function sizeOf({ content, lies }: ZipMember): number {
  return lies?.size ?? content.length;
}

function nameOf(name: string | Uint8Array): Buffer {
  return Buffer.from(name as string);
}

function length(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
