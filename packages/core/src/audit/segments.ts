import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditRecord, type Head, NO_RECORDS, readRecord } from './audit-record.ts';
import { firstNumberOf, segmentName } from './segment-name.ts';

/** More than the longest record has. */
const TAIL_BYTES = 512 * 1024;
const LINE_END = 0x0a;

/** Where a log ends, and which file that is. */
export interface LogEnd {
  readonly file: string;
  /** Of the record that the file begins with, or will begin with. */
  readonly firstNumber: number;
  /** Bytes in the file. */
  readonly size: number;
  /** Which file that is, whatever its name; 0 when it is not there yet. */
  readonly inode: number;
  readonly head: Head;
  /** What its last record is about, if it has one. */
  readonly last?: Pick<AuditRecord, 'action'>;
  /** What stands behind the last whole record: a process was killed while it wrote. */
  readonly torn?: Buffer;
}

/** Nothing near the end of this file was written with the key. */
export class DamagedEnd extends Error {}

/** The names of a log's files, in order. Empty when the folder is not there. */
export async function segmentsOf(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => firstNumberOf(name) !== undefined).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** @throws DamagedEnd */
export async function endOfLog(folder: string, key: Uint8Array): Promise<LogEnd> {
  const names = await segmentsOf(folder);
  const file = names.at(-1);
  if (file === undefined)
    return { file: segmentName(1), firstNumber: 1, size: 0, inode: 0, head: NO_RECORDS };
  const { ino: inode, size } = await stat(join(folder, file));
  const tail = await tailOf(join(folder, file));
  const found = lastRecord(tail, key);
  if (found === undefined && size > tail.length) throw new DamagedEnd(file);
  const last = found?.record ?? (await lastOf(folder, names.at(-2), key));
  const torn = tail.subarray(found?.end ?? 0);
  return {
    file,
    firstNumber: firstNumberOf(file)!,
    size,
    inode,
    head: last === undefined ? NO_RECORDS : { n: last.n, mac: last.mac },
    ...(last !== undefined && { last }),
    ...(torn.length > 0 && { torn }),
  };
}

/** The details of the record that explains such a place; a line's end is put behind it first. */
export function tornDetails(torn: Buffer): { readonly bytes: number; readonly sha256: string } {
  const ended = Buffer.concat([torn, lineEndFor(torn)]);
  return { bytes: ended.length, sha256: createHash('sha256').update(ended).digest('hex') };
}

/** Empty when the bytes have one. */
export function lineEndFor(torn: Buffer | undefined): Buffer {
  const isOpen = torn !== undefined && torn.at(-1) !== LINE_END;
  return Buffer.from(isOpen ? '\n' : '');
}

/** The last record of a segment that was followed by another one. */
async function lastOf(
  folder: string,
  file: string | undefined,
  key: Uint8Array,
): Promise<AuditRecord | undefined> {
  if (file === undefined) return undefined;
  const found = lastRecord(await tailOf(join(folder, file)), key);
  if (found === undefined) throw new DamagedEnd(file);
  return found.record;
}

/** The last line that is a record, and where it ends. */
function lastRecord(
  tail: Buffer,
  key: Uint8Array,
): { readonly record: AuditRecord; readonly end: number } | undefined {
  let end = tail.lastIndexOf(LINE_END);
  while (end > 0) {
    const before = tail.lastIndexOf(LINE_END, end - 1);
    const record = readRecord(tail.subarray(before + 1, end).toString('utf8'), key);
    if (record !== undefined) return { record, end: end + 1 };
    end = before;
  }
  return undefined;
}

async function tailOf(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
