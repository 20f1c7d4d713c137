import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import { takeFileLock } from '../state/file-lock.ts';
import type { Secret } from '../observe/secret.ts';
import { type Head, OWN_ACTIONS, recordLine } from './audit-record.ts';
import type { AuditEntry, AuditTrail } from './audit-trail.ts';
import { auditUnavailable, whyNotWritten } from './audit-unavailable.ts';
import { DamagedEnd, endOfLog, lineEndFor, type LogEnd, tornDetails } from './segments.ts';
import { segmentName } from './segment-name.ts';

export interface AuditLogOptions {
  readonly folder: string;
  readonly key: Secret<Uint8Array>;
  readonly clock: Clock;
  /** Cleans an entry before it is written. */
  readonly clean: (entry: AuditEntry) => AuditEntry;
  /** Is told how far the log has come, whenever it has grown. */
  readonly onGrown?: (head: Head) => void;
  /** Records in one file. Default 50,000, which is some 20 MB. */
  readonly segmentRecords?: number;
}

interface Entry {
  readonly entry: AuditEntry;
  readonly at: string;
}

interface Waiting extends Entry {
  readonly resolve: () => void;
  readonly reject: (reason: OctoError) => void;
}

const SEGMENT_RECORDS = 50_000;
/** Records that share one write and one `fsync`. */
const MOST_TOGETHER = 1000;
/** Records that may wait for the disk, so that a slow one does not fill the memory. */
const MOST_WAITING = 100_000;
/** How long another process may keep the log to itself. */
const LOCK_PATIENCE_MS = 10_000;
const LOCK_LOOK_MS = 5;

/**
 * A log that can only grow: files of lines, each with a code over itself and the one before it. Several processes may write
 * to one; each holds the lock for as long as one write takes, and goes on where the log ends then.
 */
export class AuditLog implements AuditTrail {
  readonly #options: AuditLogOptions;
  readonly #waiting: Waiting[] = [];
  #end: LogEnd | undefined;
  /** The number of the last record that this process has seen in the log. */
  #seen = 0;
  #writing: Promise<void> | undefined;

  private constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** @throws OctoError `OCTO_AUDIT_UNAVAILABLE` when it could not be written to now */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const log = new AuditLog(options);
    await log.#named(async () => {
      await mkdir(options.folder, { mode: 0o700 }).catch(unlessExists);
      await using _lock = await log.#lock();
      await log.#endNow();
    });
    return log;
  }

  record(entry: AuditEntry): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#waiting.length >= MOST_WAITING)
      return Promise.reject(auditUnavailable(this.#options.folder, 'the disk is too slow'));
    const at = new Date(this.#options.clock.now()).toISOString();
    this.#waiting.push({ entry: this.#options.clean(entry), at, resolve, reject });
    this.#writing ??= this.#writeAll();
    return promise;
  }

  /** Waits for what was recorded. Writing to it afterwards is no error: there is nothing that was held open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // What is recorded in the same turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_TOGETHER);
      try {
        await this.#named(() => this.#write(batch));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error as OctoError);
      }
    }
    // At once: who was answered last may be recording again before this promise is seen to be settled.
    this.#writing = undefined;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    await using _lock = await this.#lock();
    let end = await this.#endNow();
    const most = this.#options.segmentRecords ?? SEGMENT_RECORDS;
    if (end.last?.action === OWN_ACTIONS.segmentEnd && end.head.n >= end.firstNumber)
      end = nextSegment(end);
    if (end.torn !== undefined)
      end = await this.#append(end, [this.#own(OWN_ACTIONS.torn, tornDetails(end.torn))]);
    for (let from = 0; from < batch.length;) {
      const room = end.firstNumber + most - 1 - end.head.n;
      const some = batch.slice(from, from + Math.max(1, room));
      from += some.length;
      const isFull = end.head.n + some.length + 1 >= end.firstNumber + most;
      end = await this.#append(end, isFull ? [...some, this.#endEntry(end, some.length)] : some);
      if (isFull) end = nextSegment(end);
    }
    this.#options.onGrown?.(end.head);
  }

  /** Where the log ends: as this process left it, or further on when another one has written. */
  async #endNow(): Promise<LogEnd> {
    const { folder, key } = this.#options;
    // Behind a file that is full another process may have begun the next one.
    const known = this.#end?.last?.action === OWN_ACTIONS.segmentEnd ? undefined : this.#end;
    const found = await stat(join(folder, known?.file ?? '')).catch(() => undefined);
    if (known !== undefined && found?.ino === known.inode && found.size === known.size)
      return known;
    const end = await endOfLog(folder, key.reveal());
    if (end.head.n < this.#seen)
      throw auditUnavailable(
        folder,
        `it has lost records: it ended with ${this.#seen} and ends with ${end.head.n} now; somebody changed it. Look with: octo-host audit verify`,
      );
    this.#remember(end);
    return end;
  }

  async #append(end: LogEnd, entries: readonly Entry[]): Promise<LogEnd> {
    const { folder, key } = this.#options;
    const lines: string[] = [];
    let { head } = end;
    for (const { entry, at } of entries) {
      const next = recordLine({ at, entry, after: head }, key.reveal());
      lines.push(`${next.line}\n`);
      head = next.head;
    }
    this.#end = undefined;
    const bytes = Buffer.concat([lineEndFor(end.torn), Buffer.from(lines.join(''), 'utf8')]);
    const { inode, size } = await appendDurably(folder, end, bytes);
    const { torn: _, ...rest } = end;
    const last = entries.at(-1)!.entry;
    return this.#remember({ ...rest, inode, size, head, last });
  }

  #remember(end: LogEnd): LogEnd {
    this.#end = end;
    this.#seen = end.head.n;
    return end;
  }

  #endEntry({ firstNumber, head }: LogEnd, more: number): Entry {
    const records = head.n + more - firstNumber + 2;
    return this.#own(OWN_ACTIONS.segmentEnd, { records });
  }

  /** What the log says of itself. */
  #own(action: string, details: NonNullable<AuditEntry['details']>): Entry {
    const entry = {
      action,
      actor: { kind: 'host', id: 'audit' },
      outcome: 'done',
      details,
    } as const;
    return { entry, at: new Date(this.#options.clock.now()).toISOString() };
  }

  async #lock(): Promise<AsyncDisposable> {
    const { folder, clock } = this.#options;
    const began = clock.monotonic();
    for (;;) {
      const lock = await takeFileLock(join(folder, 'lock'));
      if (lock !== undefined) return lock;
      if (clock.monotonic() - began > LOCK_PATIENCE_MS)
        throw auditUnavailable(folder, 'another process has kept its lock for ten seconds');
      await clock.sleep(LOCK_LOOK_MS);
    }
  }

  /** Every failure as the one error that callers know. */
  async #named(work: () => Promise<void>): Promise<void> {
    const { folder } = this.#options;
    try {
      await work();
    } catch (error) {
      if (error instanceof OctoError) throw error;
      if (error instanceof DamagedEnd)
        throw auditUnavailable(
          folder,
          `the end of ${error.message} was not written with its key; look with: octo-host audit verify. To begin a new log, move the folder away`,
        );
      throw auditUnavailable(folder, whyNotWritten(error), error);
    }
  }
}

/** What did not reach the disk whole is taken back, as far as that goes: it was never promised to anybody. */
async function appendDurably(
  folder: string,
  { file, inode, size }: LogEnd,
  bytes: Buffer,
): Promise<{ readonly inode: number; readonly size: number }> {
  const isNew = inode === 0;
  await using handle = await open(join(folder, file), isNew ? 'ax' : 'a', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } catch (error) {
    await handle.truncate(size).catch(() => {});
    throw error;
  }
  if (isNew) await syncFolder(folder);
  const now = await handle.stat();
  return { inode: now.ino, size: now.size };
}

async function syncFolder(folder: string): Promise<void> {
  await using handle: FileHandle = await open(folder, 'r');
  await handle.sync();
}

function nextSegment({ head, last }: LogEnd): LogEnd {
  const firstNumber = head.n + 1;
  return {
    file: segmentName(firstNumber),
    firstNumber,
    size: 0,
    inode: 0,
    head,
    ...(last !== undefined && { last }),
  };
}

function unlessExists(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}
