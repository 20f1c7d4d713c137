import type { ByteReader } from '../byte-reader.ts';
import { archiveInvalid } from './invalid.ts';
import { MemberNames, type Member } from './member.ts';

const BLOCK = 512;
/** Of an extended header: long names and little else. */
const MAX_EXTENSION_BYTES = 64 * 1024;
const FILE = new Set(['0', '\0', '7']);
const FOLDER = '5';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether `head` begins a tar archive: its first header has a right checksum. */
export function isTar(head: Uint8Array): boolean {
  return head.length >= BLOCK && hasChecksum(Buffer.from(head.subarray(0, BLOCK)));
}

/**
 * The regular files of a tar archive (ustar, pax, GNU long names), streamed. Read by ourselves, because an archive
 * must end with its two empty blocks: without them a cut at a member's end would not show.
 * @throws PluginError `integrity` for links, devices, sparse files, unsafe names, and whatever is not complete
 */
export async function* tarMembers(reader: ByteReader): AsyncGenerator<Member> {
  const names = new MemberNames();
  let extension: Extension = {};
  for (;;) {
    const header = await block(reader);
    if (isEmpty(header)) {
      await expectEnd(reader);
      return;
    }
    if (!hasChecksum(header)) throw archiveInvalid('has a damaged header');
    const type = String.fromCharCode(header[156] as number);
    const size = extension.size ?? readNumber(header.subarray(124, 136));
    if (type === 'x' || type === 'L') {
      extension = { ...extension, ...(await readExtension(reader, type, size)) };
      continue;
    }
    if (type === 'g' || type === 'K') {
      await readPadded(reader, size);
      continue;
    }
    const path = extension.path ?? plainPath(header);
    extension = {};
    if (type === FOLDER || path.endsWith('/')) continue;
    if (!FILE.has(type))
      throw archiveInvalid('holds a link or a device, where only files are allowed');
    yield* member(reader, names.add(path), size);
  }
}

async function* member(reader: ByteReader, path: string, size: number): AsyncGenerator<Member> {
  const end = reader.taken + size;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    while (reader.taken < end) {
      const chunk = await reader.some(end - reader.taken);
      if (chunk === undefined) throw archiveInvalid('is cut off');
      yield chunk;
    }
  }
  yield { path, bytes };
  for await (const left of bytes()) void left;
  const padding = await exactly(reader, (BLOCK - (size % BLOCK)) % BLOCK);
  if (!isEmpty(padding)) throw archiveInvalid('has bytes between its members');
}

interface Extension {
  readonly path?: string;
  readonly size?: number;
}

async function readExtension(reader: ByteReader, type: string, size: number): Promise<Extension> {
  const body = await readPadded(reader, size);
  if (type === 'L') return { path: text(trimZeros(body)) };
  const records = paxRecords(body);
  if ([...records.keys()].some((key) => key.startsWith('GNU.sparse'))) {
    throw archiveInvalid('holds a sparse file');
  }
  const path = records.get('path');
  const paxSize = records.get('size');
  if (paxSize !== undefined && !/^\d{1,15}$/.test(paxSize))
    throw archiveInvalid('has a damaged header');
  return {
    ...(path === undefined ? {} : { path }),
    ...(paxSize === undefined ? {} : { size: Number(paxSize) }),
  };
}

/** Records of the form `length key=value\n`, the length counting itself. */
function paxRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length) || length < 5 || at + length > body.length) {
      throw archiveInvalid('has a damaged header');
    }
    const record = text(body.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function plainPath(header: Buffer): string {
  const name = text(trimZeros(header.subarray(0, 100)));
  const posix = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = posix ? text(trimZeros(header.subarray(345, 500))) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, or with the highest bit set a binary number of which we take the last six bytes. */
function readNumber(field: Buffer): number {
  if ((field[0] as number) & 0x80) {
    if (!isEmpty(field.subarray(1, -6))) throw archiveInvalid('has a damaged header');
    return field.readUIntBE(field.length - 6, 6);
  }
  const digits = text(trimZeros(field)).trim();
  if (!/^[0-7]*$/.test(digits)) throw archiveInvalid('has a damaged header');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function hasChecksum(header: Buffer): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (header[i] as number);
  const declared = /^ *([0-7]{1,7})[ \0]/.exec(header.toString('latin1', 148, 157))?.[1];
  return declared !== undefined && Number.parseInt(declared, 8) === sum;
}

/** The second empty block, and the rest of the record: nothing but zeros. */
async function expectEnd(reader: ByteReader): Promise<void> {
  if (!isEmpty(await block(reader))) throw archiveInvalid('has a damaged end');
  for await (const chunk of reader.rest()) {
    if (!isEmpty(chunk)) throw archiveInvalid('is followed by other bytes');
  }
}

async function readPadded(reader: ByteReader, size: number): Promise<Buffer> {
  if (size > MAX_EXTENSION_BYTES) throw archiveInvalid('has a header of impossible length');
  const body = await exactly(reader, Math.ceil(size / BLOCK) * BLOCK);
  return body.subarray(0, size);
}

function block(reader: ByteReader): Promise<Buffer> {
  return exactly(reader, BLOCK);
}

async function exactly(reader: ByteReader, count: number): Promise<Buffer> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw archiveInvalid('is cut off');
  return Buffer.from(bytes);
}

function trimZeros(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

function isEmpty(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw archiveInvalid('has a name that is not UTF-8', error);
  }
}
