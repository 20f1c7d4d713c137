import { dirname } from 'node:path';
import type { Disk, NewFile } from '../../src/secrets/disk.ts';

/** The process is gone: this call and all after it were never made. */
export class Stopped extends Error {}

interface Inode {
  bytes: Uint8Array;
  /** What a loss of power leaves. */
  synced: Uint8Array;
}

interface NameChange {
  readonly folder: string;
  readonly apply: (names: Map<string, Inode>) => void;
}

/**
 * A disk that can stop before any call, and then be looked at as it is after the death of the process or after a loss of power:
 * what was written and not synced is gone, and of the names that were changed and not synced only the first few remain.
 */
export class MemoryDisk implements Disk {
  readonly #seen: Map<string, Inode>;
  readonly #durable: Map<string, Inode>;
  readonly #pending: NameChange[] = [];
  /** Calls that change something, so far. */
  calls = 0;
  /** The call that is not made any more. */
  stopAt = Number.POSITIVE_INFINITY;

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map()) {
    const inodes = [...files].map(([path, bytes]) => [path, { bytes, synced: bytes }] as const);
    this.#seen = new Map(inodes);
    this.#durable = new Map(inodes);
  }

  get files(): Map<string, Uint8Array> {
    return new Map([...this.#seen].map(([path, { bytes }]) => [path, bytes]));
  }

  /** Every state in which the machine may come back after the last call. */
  *remains(): Generator<MemoryDisk> {
    yield new MemoryDisk(this.files);
    for (let kept = 0; kept <= this.#pending.length; kept += 1) {
      const names = new Map(this.#durable);
      for (const { apply } of this.#pending.slice(0, kept)) apply(names);
      yield new MemoryDisk(new Map([...names].map(([path, { synced }]) => [path, synced])));
    }
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#seen.get(path)?.bytes;
  }

  async create(path: string): Promise<NewFile> {
    this.#call();
    if (this.#seen.has(path)) throw new Error(`EEXIST ${path}`);
    const inode: Inode = { bytes: new Uint8Array(), synced: new Uint8Array() };
    this.#change(path, (names) => names.set(path, inode));
    return {
      write: async (bytes) => {
        // A write that is cut short leaves its beginning.
        if (this.calls + 1 >= this.stopAt) inode.bytes = bytes.subarray(0, bytes.length / 2);
        this.#call();
        inode.bytes = bytes;
      },
      sync: async () => {
        this.#call();
        inode.synced = inode.bytes;
      },
      close: async () => this.#call(),
    };
  }

  async link(from: string, to: string): Promise<void> {
    this.#call();
    if (this.#seen.has(to)) throw new Error(`EEXIST ${to}`);
    const inode = this.#seen.get(from);
    if (inode === undefined) throw new Error(`ENOENT ${from}`);
    this.#change(to, (names) => names.set(to, inode));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#call();
    const inode = this.#seen.get(from);
    if (inode === undefined) throw new Error(`ENOENT ${from}`);
    this.#change(to, (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  async remove(path: string): Promise<void> {
    this.#call();
    this.#change(path, (names) => names.delete(path));
  }

  async syncFolder(path: string): Promise<void> {
    this.#call();
    for (const { folder, apply } of this.#pending) if (folder === path) apply(this.#durable);
    const left = this.#pending.filter(({ folder }) => folder !== path);
    this.#pending.splice(0, this.#pending.length, ...left);
  }

  #change(path: string, apply: NameChange['apply']): void {
    apply(this.#seen);
    this.#pending.push({ folder: dirname(path), apply });
  }

  #call(): void {
    this.calls += 1;
    if (this.calls >= this.stopAt) throw new Stopped();
  }
}
