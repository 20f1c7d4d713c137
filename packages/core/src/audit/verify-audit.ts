import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { takeFileLock } from '../state/file-lock.ts';
import type { AuditRecord } from './audit-record.ts';
import { ChainCheck, type ChainVerdict } from './chain-check.ts';
import type { Checkpoint } from './checkpoint.ts';
import { segmentsOf } from './segments.ts';

/**
 * Looks at every record of a log, from the first on. It may be written to meanwhile: what comes later is not looked at.
 * Memory grows with the number of checkpoints, about a hundred bytes each, and with nothing else.
 */
export async function verifyAudit(
  folder: string,
  key: Uint8Array,
  checkpoints: AsyncIterable<Checkpoint> | Iterable<Checkpoint> = [],
): Promise<ChainVerdict> {
  const check = new ChainCheck(key);
  for await (const one of checkpoints) check.know(one);
  for (const { name, size } of await sizesOf(folder)) {
    check.segment(name);
    if (check.isBad) break;
    for await (const { text, isWhole } of linesOf(join(folder, name), size))
      check.line(text, isWhole);
  }
  return check.end();
}

/** The records in order, as they stand there; `verifyAudit` tells whether to believe them. */
export async function* recordsOf(folder: string): AsyncGenerator<AuditRecord, void, void> {
  for (const { name, size } of await sizesOf(folder)) {
    for await (const { text, isWhole } of linesOf(join(folder, name), size)) {
      const record = isWhole ? readLine(text) : undefined;
      if (record !== undefined) yield record;
    }
  }
}

/** No record, and no half of one, has as many bytes. */
const LONGEST_LINE = 512 * 1024;

function readLine(text: Buffer): AuditRecord | undefined {
  try {
    const read: unknown = JSON.parse(text.toString('utf8'));
    return isRecord(read) ? read : undefined;
  } catch {
    // Half a line; the record behind it speaks of it.
    return undefined;
  }
}

function isRecord(read: unknown): read is AuditRecord {
  const { n, at, action, actor, outcome } = (read ?? {}) as Partial<Record<string, unknown>>;
  const { kind, id } = (actor ?? {}) as Partial<Record<string, unknown>>;
  return typeof n === 'number' && [at, action, outcome, kind, id].every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** As they are when nobody writes. A log that may only be read, such as a copy, is nobody's to lock. */
async function sizesOf(
  folder: string,
): Promise<{ readonly name: string; readonly size: number }[]> {
  const names = await segmentsOf(folder);
  if (names.length === 0) return [];
  await using _lock = await takeFileLock(join(folder, 'lock')).catch(() => undefined);
  const all = await segmentsOf(folder);
  return await Promise.all(
    all.map(async (name) => ({ name, size: (await stat(join(folder, name))).size })),
  );
}

/**
 * The lines of a file up to a size. What is longer than any record comes in pieces: nobody wrote it here, and it must not fill
 * the memory.
 */
async function* linesOf(
  path: string,
  size: number,
): AsyncGenerator<{ readonly text: Buffer; readonly isWhole: boolean }, void, void> {
  if (size === 0) return;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { end: size - 1 }) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let to = rest.indexOf(10); to !== -1; to = rest.indexOf(10, from)) {
      yield { text: rest.subarray(from, to), isWhole: true };
      from = to + 1;
    }
    rest = rest.subarray(from);
    if (rest.length < LONGEST_LINE) continue;
    yield { text: rest, isWhole: true };
    rest = Buffer.alloc(0);
  }
  if (rest.length > 0) yield { text: rest, isWhole: false };
}
