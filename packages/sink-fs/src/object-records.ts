import { join } from 'node:path';
import type { Disk, Status } from './disk.ts';
import { errnoOf, unless } from './disk-error.ts';
import type { DurableFolders } from './durable-folders.ts';
import { writeAll } from './write-all.ts';

/** What is remembered about a file of ours. */
export interface ObjectRecord {
  readonly key: string;
  readonly metadata: { readonly [name: string]: string };
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Identifies one version of one file: changes with every write, and is not met again when the inode is used again. */
export function etagOf({ inode, bytes, mtimeNs }: Status): string {
  return `${inode}-${bytes}-${mtimeNs}`;
}

interface Waiting {
  readonly etag: string;
  readonly record: ObjectRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Records in one file: as much as one write of the system takes. */
const MOST_TOGETHER = 64;

/**
 * Tells our files from those of strangers. A file has a record, named by its etag and durable before the file becomes
 * visible; a file that was changed, copied or moved to another key has none, and is a stranger's.
 *
 * Records that are to be written while others are being written share one file, which then has the name of each: one sync for
 * all of them.
 */
export class ObjectRecords {
  readonly #disk: Disk;
  readonly #folders: DurableFolders;
  readonly #folder: string;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(disk: Disk, folders: DurableFolders, folder: string) {
    this.#disk = disk;
    this.#folders = folders;
    this.#folder = folder;
  }

  /** Resolves when the record is durable. The caller holds the file, so nobody else has this etag. */
  async write(etag: string, record: ObjectRecord): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ etag, record, resolve, reject });
    if (!this.#isWriting) void this.#writeAll();
    await promise;
    await this.#folders.sync(this.#folder);
  }

  /** The record of the file at this key; `undefined` for a file that is not ours. */
  async find(etag: string, key: string): Promise<ObjectRecord | undefined> {
    const bytes = await unless(['ENOENT'], this.#disk.read(join(this.#folder, etag)));
    const record = bytes && parsed(bytes, etag);
    return record?.key === key ? record : undefined;
  }

  async remove(etag: string): Promise<void> {
    await unless(['ENOENT'], this.#disk.unlink(join(this.#folder, etag)));
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0, MOST_TOGETHER);
      await this.#writeTogether(together);
    }
    this.#isWriting = false;
  }

  async #writeTogether(together: readonly Waiting[]): Promise<void> {
    const [first, ...others] = together;
    let named: PromiseSettledResult<void>[];
    try {
      await this.#writeFirst(first!, together);
      named = await Promise.allSettled(others.map(({ etag }) => this.#name(etag, first!.etag)));
    } catch (error) {
      for (const { reject } of together) reject(error);
      return;
    }
    // Not before all have their names: the first may take its own away at once.
    first!.resolve();
    named.forEach((answer, index) => {
      const { resolve, reject } = others[index]!;
      if (answer.status === 'fulfilled') resolve();
      else reject(answer.reason);
    });
  }

  async #writeFirst({ etag, record }: Waiting, together: readonly Waiting[]): Promise<void> {
    const records = Object.fromEntries(together.map((it) => [it.etag, it.record]));
    const content = together.length === 1 ? record : { records };
    const path = join(this.#folder, etag);
    await unless(['ENOENT'], this.#disk.unlink(path));
    const file = await this.#disk.create(path, true);
    try {
      await writeAll(file, [Buffer.from(JSON.stringify(content))], 0);
      if (!file.writesThrough) await file.sync();
    } finally {
      await file.close();
    }
  }

  async #name(etag: string, first: string): Promise<void> {
    const [from, to] = [join(this.#folder, first), join(this.#folder, etag)];
    try {
      await this.#disk.link(from, to);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      await unless(['ENOENT'], this.#disk.unlink(to));
      await this.#disk.link(from, to);
    }
  }
}

/** A record is whole before its file is visible; what can not be read belongs to a file that never was. */
function parsed(bytes: Uint8Array, etag: string): ObjectRecord | undefined {
  try {
    const content = JSON.parse(Buffer.from(bytes).toString()) as
      ObjectRecord | { readonly records: { readonly [etag: string]: ObjectRecord } };
    return 'records' in content ? content.records[etag] : content;
  } catch {
    return undefined;
  }
}
