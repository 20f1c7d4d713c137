import { randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  close,
  constants,
  fstat,
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
  writev,
  type BigIntStats,
} from 'node:fs';
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
  /** What was written is on the disk, and so is what was changed of the file before, once the write has resolved. */
  readonly writesThrough: boolean;
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
  /**
   * Fails with EEXIST when the name is taken, by whatever. Only the owner may read and write it.
   * @param through whether its writes should go through to the disk, where the system can do that
   */
  create(path: string, through?: boolean): Promise<DiskFile>;
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

/**
 * The file system of this machine; `sync` makes durable what lies at a path. By callbacks, which cost half of what node's
 * promises and file handles do.
 */
export const realDisk = (sync: SyncToDisk): Disk => ({
  async create(path, through = false) {
    const writesThrough = through && CAN_WRITE_THROUGH;
    const flags = NEW_FILE | (writesThrough ? constants.O_SYNC : 0);
    const file = await asked<number>((told) => open(path, flags, 0o600, told));
    return fileAt(path, { file, writesThrough }, sync);
  },
  async makeFolder(path, mode) {
    await asked((told) => mkdir(path, mode, told));
    // mkdir takes the umask away from the mode; what the configuration says holds.
    await asked((told) => chmod(path, mode, told));
  },
  removeFolder: (path) => asked((told) => rmdir(path, told)),
  link: (from, to) => asked((told) => link(from, to, told)),
  rename: (from, to) => asked((told) => rename(from, to, told)),
  unlink: (path) => asked((told) => unlink(path, told)),
  async putMark(text, path) {
    // No symbolic link, as one might expect: Node lets no restricted process make one.
    const unfinished = `${path}.${randomBytes(8).toString('hex')}${UNFINISHED_MARK}`;
    await asked((told) => writeFile(unfinished, text, { flag: 'wx', mode: 0o600 }, told));
    try {
      await asked((told) => link(unfinished, path, told));
    } finally {
      await asked((told) => unlink(unfinished, told));
    }
  },
  readMark: (path) => asked<string>((told) => readFile(path, 'utf8', told)),
  status: async (path) =>
    statusFrom(await asked<BigIntStats>((told) => lstat(path, { bigint: true }, told))),
  list: (path) => asked<string[]>((told) => readdir(path, told)),
  read: (path) => asked<Uint8Array>((told) => readFile(path, told)),
  syncFolder: sync,
  realPath: (path) => asked<string>((told) => realpath.native(path, told)),
  mayWrite: (folder) => asked((told) => access(folder, constants.W_OK | constants.X_OK, told)),
  async freeBytes(path) {
    const { bavail, bsize } = await asked<{ bavail: number; bsize: number }>((told) =>
      statfs(path, told),
    );
    return bavail * bsize;
  },
});

/** Ends the name of a mark that is not whole yet, or never became so. */
export const UNFINISHED_MARK = '.unfinished';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** Elsewhere it may mean less than a sync does: macOS leaves the bytes in the cache of the drive. */
const CAN_WRITE_THROUGH = process.platform === 'linux';

function fileAt(
  path: string,
  { file, writesThrough }: { readonly file: number; readonly writesThrough: boolean },
  sync: SyncToDisk,
): DiskFile {
  let isOpen = true;
  return {
    writesThrough,
    write: (chunks, position) => asked<number>((told) => writev(file, chunks, position, told)),
    // By path, because a restricted process has no fchmod and no fsync. An unlinked file needs neither any more.
    setMode: (mode) =>
      unless(
        ['ENOENT'],
        asked((told) => chmod(path, mode, told)),
      ),
    sync: () => unless(['ENOENT'], sync(path)),
    status: async () =>
      statusFrom(await asked<BigIntStats>((told) => fstat(file, { bigint: true }, told))),
    async close() {
      // The number may be another file's by the second time.
      if (isOpen) {
        isOpen = false;
        await asked((told) => close(file, told));
      }
    },
  };
}

type Told<T> = (error: Error | null, answer?: T) => void;

function asked<T = void>(ask: (told: Told<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, answer) => (error ? reject(error) : resolve(answer as T)));
  });
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
