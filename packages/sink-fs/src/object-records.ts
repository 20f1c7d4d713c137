import { join } from 'node:path';
import type { Disk, Status } from './disk.ts';
import { unless } from './disk-error.ts';
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

/**
 * Tells our files from those of strangers. A file has a record, named by its etag and durable before the file becomes
 * visible; a file that was changed, copied or moved to another key has none, and is a stranger's.
 */
export class ObjectRecords {
  readonly #disk: Disk;
  readonly #folders: DurableFolders;
  readonly #folder: string;

  constructor(disk: Disk, folders: DurableFolders, folder: string) {
    this.#disk = disk;
    this.#folders = folders;
    this.#folder = folder;
  }

  /** Resolves when the record is durable. The caller holds the file, so nobody else has this etag. */
  async write(etag: string, record: ObjectRecord): Promise<void> {
    const path = join(this.#folder, etag);
    await unless(['ENOENT'], this.#disk.unlink(path));
    const file = await this.#disk.create(path);
    try {
      await writeAll(file, [Buffer.from(JSON.stringify(record))], 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#folders.sync(this.#folder);
  }

  /** The record of the file at this key; `undefined` for a file that is not ours. */
  async find(etag: string, key: string): Promise<ObjectRecord | undefined> {
    const bytes = await unless(['ENOENT'], this.#disk.read(join(this.#folder, etag)));
    const record = bytes && parsed(bytes);
    return record?.key === key ? record : undefined;
  }

  async remove(etag: string): Promise<void> {
    await unless(['ENOENT'], this.#disk.unlink(join(this.#folder, etag)));
  }
}

/** A record is whole before its file is visible; what can not be read belongs to a file that never was. */
function parsed(bytes: Uint8Array): ObjectRecord | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as ObjectRecord;
  } catch {
    return undefined;
  }
}
