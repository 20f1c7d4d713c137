import { basename, dirname } from 'node:path';
import type { Disk, DiskFile, Status } from '../src/disk.ts';

/** What is left of a change that was not synced when the power went. */
export type Adversary = 'nothing' | 'names, no bytes' | { readonly seed: number };

/** Thrown by every call after the process was killed. */
export class Killed extends Error {}

/** Asked before and after every call; what it throws is the answer of the call, and the call waits for its promise. */
export type Hook = (when: 'before' | 'after', call: string, count: number) => void | Promise<void>;

type Entry = FileNode | FolderNode | TextNode;
interface FileNode {
  readonly kind: 'file';
  readonly inode: bigint;
  bytes: Buffer;
  onDisk: Buffer;
  mtimeNs: bigint;
  /** A sync failed: what was not on the disk then will never be, whatever later syncs say. */
  forgotten: boolean;
}
interface FolderNode {
  readonly kind: 'folder';
  readonly inode: bigint;
  readonly mtimeNs: bigint;
  entries: Map<string, Entry>;
  onDisk: Map<string, Entry>;
  changes: { readonly name: string; readonly entry: Entry | undefined }[];
  syncFailed: boolean;
}
interface TextNode {
  readonly kind: 'other';
  readonly inode: bigint;
  readonly mtimeNs: bigint;
  readonly text: string;
}

/**
 * A disk that forgets what was not synced when the power is cut, lets any call fail, and catches who syncs a folder again
 * after a sync that failed.
 */
export class SimulatedDisk implements Disk {
  hook: Hook = () => {};
  calls = 0;
  /** A write takes at most this many bytes. */
  writeBytes = Infinity;
  #inodes = 0n;
  #ticks = 0n;
  #root = this.#folder();

  /** Every change that was not synced is lost, or some of it, as the adversary likes. */
  cutPower(adversary: Adversary): void {
    const seen = new Map<Entry, void>();
    const random = typeof adversary === 'object' ? randomFrom(adversary.seed) : () => 0;
    const settle = (folder: FolderNode) => {
      if (seen.has(folder)) return;
      seen.set(folder);
      const kept = new Map(folder.onDisk);
      for (const { name, entry } of folder.changes) {
        if (adversary === 'nothing' || (adversary !== 'names, no bytes' && random() < 0.5))
          continue;
        if (entry) kept.set(name, entry);
        else kept.delete(name);
      }
      folder.entries = kept;
      folder.onDisk = new Map(kept);
      folder.changes = [];
      for (const entry of kept.values()) if (entry.kind === 'folder') settle(entry);
      for (const entry of kept.values()) if (entry.kind === 'file') this.#settleFile(entry, random);
    };
    settle(this.#root);
    this.restart();
  }

  /** A new process: it knows nothing of earlier syncs. */
  restart(): void {
    this.hook = () => {};
    const reset = (folder: FolderNode) => {
      folder.syncFailed = false;
      for (const entry of folder.entries.values()) if (entry.kind === 'folder') reset(entry);
    };
    reset(this.#root);
  }

  /** The files that a reader finds below the folder, without the sink's own. */
  visible(root: string): { [key: string]: string } {
    const found: { [key: string]: string } = {};
    const walk = (folder: FolderNode, prefix: string) => {
      for (const [name, entry] of folder.entries) {
        if (prefix === '' && name === '.octo') continue;
        if (entry.kind === 'folder') walk(entry, `${prefix}${name}/`);
        else
          found[`${prefix}${name}`] = entry.kind === 'file' ? entry.bytes.toString() : entry.kind;
      }
    };
    const entry = this.#lookUp(root);
    if (entry?.kind === 'folder') walk(entry, '');
    return found;
  }

  async create(path: string, through = false): Promise<DiskFile> {
    return this.#call(`create ${path}`, () => {
      const file: FileNode = {
        kind: 'file',
        inode: (this.#inodes += 1n),
        bytes: Buffer.alloc(0),
        onDisk: Buffer.alloc(0),
        mtimeNs: this.#tick(),
        forgotten: false,
      };
      this.#add(path, file, 'open');
      return this.#open(path, file, through);
    });
  }

  async makeFolder(path: string): Promise<void> {
    return this.#call(`makeFolder ${path}`, () => this.#add(path, this.#folder(), 'mkdir'));
  }

  async removeFolder(path: string): Promise<void> {
    return this.#call(`removeFolder ${path}`, () => this.#remove(path));
  }

  async link(from: string, to: string): Promise<void> {
    return this.#call(`link ${to}`, () => {
      const entry = this.#find(from, 'link');
      if (entry.kind !== 'file') throw errno('EPERM', 'link');
      this.#add(to, entry, 'link');
    });
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#call(`rename ${to}`, () => {
      const entry = this.#find(from, 'rename');
      if (this.#lookUp(to) === entry) return;
      this.#change(to, entry, 'rename');
      this.#remove(from);
    });
  }

  async unlink(path: string): Promise<void> {
    return this.#call(`unlink ${path}`, () => {
      if (this.#find(path, 'unlink').kind === 'folder') throw errno('EISDIR', 'unlink');
      this.#remove(path);
    });
  }

  async putMark(text: string, path: string): Promise<void> {
    return this.#call(`putMark ${path}`, () => {
      const inode = (this.#inodes += 1n);
      this.#add(path, { kind: 'other', inode, mtimeNs: this.#tick(), text }, 'symlink');
    });
  }

  async readMark(path: string): Promise<string> {
    return this.#call(`readMark ${path}`, () => {
      const entry = this.#find(path, 'readlink');
      if (entry.kind !== 'other') throw errno('EINVAL', 'readlink');
      return entry.text;
    });
  }

  async status(path: string): Promise<Status> {
    return this.#call(`status ${path}`, () => statusOf(this.#find(path, 'lstat')));
  }

  async list(path: string): Promise<string[]> {
    return this.#call(`list ${path}`, () => [...this.#findFolder(path, 'scandir').entries.keys()]);
  }

  async read(path: string): Promise<Uint8Array> {
    return this.#call(`read ${path}`, () => {
      const entry = this.#find(path, 'open');
      if (entry.kind !== 'file') throw errno('EISDIR', 'read');
      return Buffer.from(entry.bytes);
    });
  }

  async syncFolder(path: string): Promise<void> {
    const folder = this.#findFolder(path, 'open');
    if (folder.syncFailed) throw new Error(`${path} was synced again after a sync that failed`);
    try {
      await this.#call(`syncFolder ${path}`, () => {
        folder.onDisk = new Map(folder.entries);
        folder.changes = [];
      });
    } catch (error) {
      folder.syncFailed = true;
      throw error;
    }
  }

  async realPath(path: string): Promise<string> {
    return this.#call(`realPath ${path}`, () => {
      this.#find(path, 'realpath');
      return path;
    });
  }

  async mayWrite(folder: string): Promise<void> {
    return this.#call(`mayWrite ${folder}`, () => void this.#findFolder(folder, 'access'));
  }

  async freeBytes(): Promise<number> {
    return this.#call('freeBytes', () => 1e12);
  }

  async #call<T>(call: string, work: () => T): Promise<T> {
    this.calls += 1;
    const count = this.calls;
    await Promise.resolve();
    await this.hook('before', call, count);
    const answer = work();
    await this.hook('after', call, count);
    return answer;
  }

  #open(path: string, file: FileNode, writesThrough: boolean): DiskFile {
    return {
      writesThrough,
      write: (chunks, position) =>
        this.#call(`write ${path}`, () => {
          const bytes = Buffer.concat(chunks).subarray(0, this.writeBytes);
          const before = Buffer.alloc(Math.max(file.bytes.length, position + bytes.length));
          file.bytes.copy(before);
          bytes.copy(before, position);
          file.bytes = before;
          file.mtimeNs = this.#tick();
          if (writesThrough && !file.forgotten) file.onDisk = Buffer.from(file.bytes);
          return bytes.length;
        }),
      setMode: () => this.#call(`setMode ${path}`, () => {}),
      sync: () => this.#syncNode(path, file),
      status: () => this.#call(`fstat ${path}`, () => statusOf(file)),
      close: () => this.#call(`close ${path}`, () => {}),
    };
  }

  async #syncNode(path: string, file: FileNode): Promise<void> {
    try {
      await this.#call(`sync ${path}`, () => {
        if (!file.forgotten) file.onDisk = Buffer.from(file.bytes);
      });
    } catch (error) {
      file.forgotten = true;
      throw error;
    }
  }

  #settleFile(file: FileNode, random: () => number): void {
    const kept = Math.floor(random() * (file.bytes.length + 1));
    const synced = file.onDisk.equals(file.bytes);
    if (!synced)
      file.bytes = Buffer.concat([file.bytes.subarray(0, kept), file.onDisk.subarray(kept)]);
    file.onDisk = Buffer.from(file.bytes);
  }

  #folder(): FolderNode {
    const inode = (this.#inodes += 1n);
    const mtimeNs = this.#tick();
    return {
      kind: 'folder',
      inode,
      mtimeNs,
      entries: new Map(),
      onDisk: new Map(),
      changes: [],
      syncFailed: false,
    };
  }

  #tick(): bigint {
    return (this.#ticks += 1_000_000n);
  }

  #lookUp(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      entry = entry?.kind === 'folder' ? entry.entries.get(name) : undefined;
    }
    return entry;
  }

  #find(path: string, syscall: string): Entry {
    const entry = this.#lookUp(path);
    if (!entry) throw errno('ENOENT', syscall);
    return entry;
  }

  #findFolder(path: string, syscall: string): FolderNode {
    const entry = this.#find(path, syscall);
    if (entry.kind !== 'folder') throw errno('ENOTDIR', syscall);
    return entry;
  }

  #add(path: string, entry: Entry, syscall: string): void {
    if (this.#lookUp(path)) throw errno('EEXIST', syscall);
    this.#change(path, entry, syscall);
  }

  #remove(path: string): void {
    this.#change(path, undefined, 'unlink');
  }

  #change(path: string, entry: Entry | undefined, syscall: string): void {
    const folder = this.#findFolder(dirname(path), syscall);
    const name = basename(path);
    if (entry) folder.entries.set(name, entry);
    else folder.entries.delete(name);
    folder.changes.push({ name, entry });
  }
}

export function errno(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${syscall}`), { code, syscall });
}

function statusOf(entry: Entry): Status {
  const bytes = entry.kind === 'file' ? entry.bytes.length : 0;
  return { kind: entry.kind, inode: entry.inode, bytes, mtimeNs: entry.mtimeNs };
}

function randomFrom(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return state / 2 ** 32;
  };
}
