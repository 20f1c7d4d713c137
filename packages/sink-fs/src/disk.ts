import {
  access,
  chmod,
  close,
  constants,
  fchmod,
  fstat,
  fsync,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rmdir,
  statfs,
  symlink,
  unlink,
  writev,
  type BigIntStats,
} from 'node:fs';

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
  symlink(text: string, path: string): Promise<void>;
  readSymlink(path: string): Promise<string>;
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

/** The file system of this machine. By callbacks, which cost half of what node's promises and file handles do. */
export const realDisk: Disk = {
  create: async (path) => fileOn(await asked<number>((told) => open(path, 'wx', 0o600, told))),
  async makeFolder(path, mode) {
    await asked((told) => mkdir(path, mode, told));
    // mkdir takes the umask away from the mode; what the configuration says holds.
    await asked((told) => chmod(path, mode, told));
  },
  removeFolder: (path) => asked((told) => rmdir(path, told)),
  link: (from, to) => asked((told) => link(from, to, told)),
  rename: (from, to) => asked((told) => rename(from, to, told)),
  unlink: (path) => asked((told) => unlink(path, told)),
  symlink: (text, path) => asked((told) => symlink(text, path, told)),
  readSymlink: (path) => asked<string>((told) => readlink(path, told)),
  status: async (path) =>
    statusFrom(await asked<BigIntStats>((told) => lstat(path, { bigint: true }, told))),
  list: (path) => asked<string[]>((told) => readdir(path, told)),
  read: (path) => asked<Uint8Array>((told) => readFile(path, told)),
  async syncFolder(path) {
    const folder = await asked<number>((told) => open(path, 'r', told));
    try {
      await asked((told) => fsync(folder, told));
    } finally {
      await asked((told) => close(folder, told));
    }
  },
  realPath: (path) => asked<string>((told) => realpath.native(path, told)),
  mayWrite: (folder) => asked((told) => access(folder, constants.W_OK | constants.X_OK, told)),
  async freeBytes(path) {
    const { bavail, bsize } = await asked<{ bavail: number; bsize: number }>((told) =>
      statfs(path, told),
    );
    return bavail * bsize;
  },
};

function fileOn(file: number): DiskFile {
  let isOpen = true;
  return {
    write: (chunks, position) => asked<number>((told) => writev(file, chunks, position, told)),
    setMode: (mode) => asked((told) => fchmod(file, mode, told)),
    sync: () => asked((told) => fsync(file, told)),
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
