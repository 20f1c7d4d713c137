import { createReadStream } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, createInflateRaw } from 'node:zlib';
import type { Entry, Options, ZipFile } from 'yauzl';
import type { Limits } from '../../step.ts';
import { ByteReader } from '../byte-reader.ts';
import { ENGINE_CHUNK, throughEngine } from '../decompress/engine.ts';
import { limitExceeded } from '../growth.ts';
import { archiveInvalid } from './invalid.ts';
import { MemberNames, quoted, type Member } from './member.ts';

const METHOD = { stored: 0, deflated: 8 } as const;
const HAS_DESCRIPTOR = 0x08;
const ENCRYPTED = 0x01;
/** Lengths that a data descriptor may have: with or without signature, 32 or 64 bit sizes (APPNOTE.TXT, 4.3.9). */
const DESCRIPTOR_BYTES = new Set([12, 16, 20, 24]);
const UNIX = 3;
const SAYS_ZIP64 = 0xffffffff;
/** How yauzl begins to speak of names that it refuses. */
const UNSAFE_NAME =
  /^(?:absolute path|invalid relative path|invalid characters in fileName): ([^]*)$/;

export function isZip([a, b, c, d]: Uint8Array): boolean {
  return a === 0x50 && b === 0x4b && ((c === 3 && d === 4) || (c === 5 && d === 6));
}

/**
 * The regular files of the zip archive at `path`. What the archive says about itself is held against what it is before
 * the first member is read: yauzl reads what the directory says, and looks neither at checksums nor for what the
 * directory leaves out.
 * @throws PluginError `integrity`
 */
export async function openZip(path: string, limits: Limits): Promise<readonly Member[]> {
  const zip = await openDirectory(path);
  try {
    const directoryStart = cursor(zip);
    if (zip.entryCount > limits.maxMembers)
      throw limitExceeded(`more than ${limits.maxMembers} members`, 'maxMembers');
    const entries = await Array.fromAsync(zip.eachEntry());
    await expectDirectoryEnd(path, cursor(zip));
    const files = entries.filter((entry) => !isFolder(entry));
    expectSizes(files, limits);
    const places = await Promise.all(entries.map((entry) => place(zip, entry)));
    expectNoGaps(places, directoryStart);
    const names = new MemberNames();
    return places
      .filter(({ entry }) => !isFolder(entry))
      .map((one) => ({ path: names.add(one.entry.fileName), bytes: () => contentOf(path, one) }));
  } catch (error) {
    throw asInvalid(error);
  } finally {
    zip.close();
  }
}

interface Place {
  readonly entry: Entry;
  readonly start: number;
  readonly dataStart: number;
  readonly dataEnd: number;
}

async function openDirectory(path: string): Promise<ZipFile> {
  const { open } = await import('yauzl');
  const options: Options = { lazyEntries: true, autoClose: false, strictFileNames: true };
  return promisify<string, Options, ZipFile>(open)(path, options).catch((error: unknown) => {
    throw asInvalid(error);
  });
}

/** Where yauzl reads the directory next. Its types call it a boolean. */
function cursor(zip: ZipFile): number {
  return Number(zip.readEntryCursor);
}

/** One more entry than was counted would stand here. */
async function expectDirectoryEnd(path: string, at: number): Promise<void> {
  await using file = await openFile(path);
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, at);
  const signature = buffer.toString('latin1');
  if (signature === 'PK\x05\x06' || signature === 'PK\x06\x06') return;
  throw archiveInvalid('has more in its directory than it counts');
}

function expectSizes(files: readonly Entry[], limits: Limits): void {
  const bytes = files.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  if (bytes > limits.maxBytes)
    throw limitExceeded(`more than ${limits.maxBytes} bytes`, 'maxBytes');
}

async function place(zip: ZipFile, entry: Entry): Promise<Place> {
  expectPlain(entry);
  const local = await zip.readLocalFileHeaderPromise(entry);
  const streamed = (entry.generalPurposeBitFlag & HAS_DESCRIPTOR) !== 0;
  const same =
    local.fileName.equals(entry.fileNameRaw) &&
    local.compressionMethod === entry.compressionMethod &&
    local.generalPurposeBitFlag === entry.generalPurposeBitFlag &&
    (streamed ||
      (local.crc32 === entry.crc32 &&
        agrees(local.compressedSize, entry.compressedSize) &&
        agrees(local.uncompressedSize, entry.uncompressedSize)));
  if (!same) throw archiveInvalid('contradicts its own directory');
  return {
    entry,
    start: entry.relativeOffsetOfLocalHeader,
    dataStart: local.fileDataStart,
    dataEnd: local.fileDataStart + entry.compressedSize,
  };
}

function agrees(local: number, central: number): boolean {
  return local === central || local === SAYS_ZIP64;
}

function expectPlain(entry: Entry): void {
  if (entry.generalPurposeBitFlag & ENCRYPTED || entry.isEncrypted()) {
    const advice = 'ask the vendor to send it without one';
    throw archiveInvalid('is encrypted with a password', undefined, advice);
  }
  const { compressionMethod } = entry;
  if (compressionMethod !== METHOD.stored && compressionMethod !== METHOD.deflated) {
    const what = `uses compression method ${compressionMethod}, which is not supported`;
    throw archiveInvalid(what, undefined, 'ask the vendor to compress it as usual (deflate)');
  }
  if (isFolder(entry) && entry.uncompressedSize > 0)
    throw archiveInvalid('hides bytes in a folder');
  const type = entry.versionMadeBy >>> 8 === UNIX ? (entry.externalFileAttributes >>> 28) & 0xf : 0;
  if (type !== 0 && type !== (isFolder(entry) ? 0x4 : 0x8)) {
    throw archiveInvalid('holds a link or a device, where only files are allowed');
  }
}

function isFolder(entry: Entry): boolean {
  return entry.fileName.endsWith('/');
}

/** The members must fill the file up to the directory: nothing before, between, over one another or behind. */
function expectNoGaps(places: readonly Place[], directoryStart: number): void {
  if (places.length === 0) throw archiveInvalid('is empty');
  const ordered = places.toSorted((a, b) => a.start - b.start);
  let end = 0;
  let streamed = false;
  for (const { start, dataEnd, entry } of [
    ...ordered,
    { start: directoryStart, dataEnd: 0, entry: undefined },
  ]) {
    const gap = start - end;
    if (gap < 0) throw archiveInvalid('has members that overlap');
    if (!(streamed ? DESCRIPTOR_BYTES.has(gap) : gap === 0)) {
      throw archiveInvalid('has bytes that belong to no member');
    }
    end = dataEnd;
    streamed = ((entry?.generalPurposeBitFlag ?? 0) & HAS_DESCRIPTOR) !== 0;
  }
}

async function* contentOf(
  path: string,
  { entry, dataStart, dataEnd }: Place,
): AsyncGenerator<Uint8Array> {
  let crc = 0;
  let bytes = 0;
  try {
    for await (const chunk of plainBytes(path, entry, dataStart, dataEnd)) {
      crc = crc32(chunk, crc);
      bytes += chunk.length;
      if (bytes > entry.uncompressedSize) break;
      yield chunk;
    }
  } catch (error) {
    throw asInvalid(error);
  }
  if (bytes !== entry.uncompressedSize)
    throw archiveInvalid('has a member of another size than it says');
  if (crc !== entry.crc32) throw archiveInvalid('has a member with a wrong checksum');
}

async function* plainBytes(
  path: string,
  { compressionMethod }: Entry,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  if (start === end) {
    if (compressionMethod === METHOD.deflated) throw archiveInvalid('has a member that is cut off');
    return;
  }
  const raw = createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 });
  await using reader = new ByteReader(raw);
  if (compressionMethod === METHOD.stored) {
    yield* reader.rest();
    return;
  }
  yield* throughEngine(createInflateRaw(ENGINE_CHUNK), reader);
  if ((await reader.peek(1)).length > 0) throw archiveInvalid('has bytes that belong to no member');
}

/** What yauzl, zlib and the file system say about a bad archive; our own errors as they are. */
function asInvalid(error: unknown): unknown {
  const code = (error as { readonly code?: unknown }).code;
  if (code === 'ARCHIVE_INVALID' || code === 'LIMIT') return error;
  const name = UNSAFE_NAME.exec((error as Error).message)?.[1];
  if (name !== undefined)
    return archiveInvalid(`has a name that is not allowed: ${quoted(name)}`, error);
  return archiveInvalid('is damaged, or is followed by other bytes', error);
}
