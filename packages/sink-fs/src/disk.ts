import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rmdir,
  statfs,
  unlink,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import type { SyncToDisk } from '@octo/plugin-api';
import { unless } from './disk-error.ts';

/** What one name stands for. */
export interface Status {
  readonly kind: 'file' | 'folder' | 'other';
  readonly inode: bigint;
  readonly bytes: number;
  readonly mtimeNs: bigint;
}

/** A file that is being written. */
export interface DiskFile {
  /** Writes at a position; may write less than it was given, and says how much. */
  write(chunks: readonly Uint8Array[], position: number): Promise<number>;
  setMode(mode: number): Promise<void>;
  sync(): Promise<void>;
  status(): Promise<Status>;
  close(): Promise<void>;
}

/**
 * Every call by which the sink touches the file system, so that a test can let the nth of them fail, or pull the plug.
 * Errors are those of `node:fs`.
 */
export interface Disk {
  /** Fails with EEXIST when the name is taken, by whatever. Only the owner may read and write it. */
  create(path: string): Promise<DiskFile>;
  makeFolder(path: string, mode: number): Promise<void>;
  removeFolder(path: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Puts a short text under a name, whole or not at all. Fails with EEXIST when the name is taken. */
  putMark(text: string, path: string): Promise<void>;
  readMark(path: string): Promise<string>;
  /** Symbolic links are not followed. */
  status(path: string): Promise<Status>;
  list(path: string): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
  syncFolder(path: string): Promise<void>;
  realPath(path: string): Promise<string>;
  /** Rejects when files may not be made in the folder. */
  mayWrite(folder: string): Promise<void>;
  /** Bytes that are left for this user. */
  freeBytes(path: string): Promise<number>;
}

/** The file system of this machine; `sync` makes durable what lies at a path. */
export const realDisk = (sync: SyncToDisk): Disk => ({
  create: async (path) => fileAt(path, await open(path, 'wx', 0o600), sync),
  async makeFolder(path, mode) {
    await mkdir(path, mode);
    // mkdir takes the umask away from the mode; what the configuration says holds.
    await chmod(path, mode);
  },
  removeFolder: rmdir,
  link,
  rename,
  unlink,
  async putMark(text, path) {
    // No symbolic link, as one might expect: Node lets no restricted process make one.
    const unfinished = `${path}.${randomBytes(8).toString('hex')}${UNFINISHED_MARK}`;
    await writeFile(unfinished, text, { flag: 'wx', mode: 0o600 });
    try {
      await link(unfinished, path);
    } finally {
      await unlink(unfinished);
    }
  },
  readMark: (path) => readFile(path, 'utf8'),
  async status(path) {
    return statusFrom(await lstat(path, { bigint: true }));
  },
  list: (path) => readdir(path),
  read: (path) => readFile(path),
  syncFolder: sync,
  realPath: (path) => realpath(path),
  mayWrite: (folder) => access(folder, constants.W_OK | constants.X_OK),
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
});

/** Ends the name of a mark that is not whole yet, or never became so. */
export const UNFINISHED_MARK = '.unfinished';

function fileAt(path: string, handle: FileHandle, sync: SyncToDisk): DiskFile {
  return {
    async write(chunks, position) {
      const { bytesWritten } = await handle.writev(chunks, position);
      return bytesWritten;
    },
    // By path, because a restricted process has no fchmod and no fsync. An unlinked file needs neither any more.
    setMode: (mode) => unless(['ENOENT'], chmod(path, mode)),
    sync: () => unless(['ENOENT'], sync(path)),
    async status() {
      return statusFrom(await handle.stat({ bigint: true }));
    },
    close: () => handle.close(),
  };
}

function statusFrom(stats: {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  isFile(): boolean;
  isDirectory(): boolean;
}): Status {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other',
    inode: stats.ino,
    bytes: Number(stats.size),
    mtimeNs: stats.mtimeNs,
  };
}
