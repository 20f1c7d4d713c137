import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { unless } from './disk-error.ts';

const MAX_CLAIMS = 1000;

/**
 * The sole right to replace one version of an object. There is no conditional rename, so whoever wants to replace
 * version E first puts a mark named `E.1` that names its upload: only one can. The claim of an upload whose staged
 * file is gone has no force, since its rename can only fail; the next one takes `E.2`. A version that was replaced never
 * comes back, so its claims can be dropped.
 */
export class ReplaceClaims {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #staged: string;

  constructor(disk: Disk, folder: string, staged: string) {
    this.#disk = disk;
    this.#folder = folder;
    this.#staged = staged;
  }

  /** Whether this upload has the right now. Taking it twice is taking it once. */
  async take(etag: string, id: string): Promise<boolean> {
    for (let n = 1; n <= MAX_CLAIMS; n += 1) {
      const owner = await this.#claim(join(this.#folder, `${etag}.${n}`), id);
      if (owner === id) return true;
      if (owner === undefined || (await this.#isAlive(owner))) return false;
    }
    return false;
  }

  /** Drops this upload's claims to a version that is not there any more. */
  async drop(etag: string, id: string): Promise<void> {
    for (let n = 1; n <= MAX_CLAIMS; n += 1) {
      const path = join(this.#folder, `${etag}.${n}`);
      const owner = await unless(['ENOENT'], this.#disk.readMark(path));
      if (owner === undefined) return;
      if (owner !== id) continue;
      await unless(['ENOENT'], this.#disk.unlink(path));
      return;
    }
  }

  async #claim(path: string, id: string): Promise<string | undefined> {
    try {
      await this.#disk.putMark(id, path);
      return id;
    } catch (error) {
      const owner = await unless(['ENOENT', 'EINVAL'], this.#disk.readMark(path));
      if (owner === undefined && !isTaken(error)) throw error;
      return owner;
    }
  }

  async #isAlive(id: string): Promise<boolean> {
    const status = await unless(['ENOENT'], this.#disk.status(join(this.#staged, id)));
    return status?.kind === 'file';
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST';
}
