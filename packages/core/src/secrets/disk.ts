import { link, open, rename, rm } from 'node:fs/promises';
import { readBounded } from '../manifest/read-bounded.ts';

/** The calls that a rewrite is made of. Each may be the last one of this process, and tests make each of them that. */
export interface Disk {
  /**
   * All bytes of a file, `undefined` when there is none.
   * @throws TooLarge
   */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** A new file of mode 0600; fails where one is already. */
  create(path: string): Promise<NewFile>;
  /** A second name for a file; fails where one is already. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** No error when there is none. */
  remove(path: string): Promise<void>;
  /** Makes names that were made, changed or removed in a folder outlast a loss of power. */
  syncFolder(path: string): Promise<void>;
}

export interface NewFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the contents outlast a loss of power. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The disk of this machine. */
export const systemDisk: Disk = {
  read: async (path, maxBytes) => {
    try {
      await using file = await open(path, 'r');
      return await readBounded(file, maxBytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  create: async (path) => {
    const file = await open(path, 'wx', 0o600);
    return {
      write: (bytes) => file.writeFile(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  link,
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder: async (path) => {
    await using folder = await open(path, 'r');
    await folder.sync();
  },
};
