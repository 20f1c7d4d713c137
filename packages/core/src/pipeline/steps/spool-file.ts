import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { PluginError } from '@octo/plugin-api';

/** A private file on local disk, written from its beginning on. Gone when it is disposed. */
export class SpoolFile implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** @throws PluginError `provider_down`, code `DISK_FULL` */
  static async create(folder: string): Promise<SpoolFile> {
    const path = join(folder, randomUUID());
    return new SpoolFile(path, await open(path, 'wx', 0o600).catch(asDiskFull));
  }

  /**
   * A file system that is nearly full writes less than it was asked to, without an error.
   * @throws PluginError `provider_down`, code `DISK_FULL`
   */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const written = await this.#handle.write(chunk, at, chunk.length - at).catch(asDiskFull);
      at += written.bytesWritten;
    }
  }

  /** Nothing more is written; the file stays. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    await rm(this.path, { force: true });
  }
}

function asDiskFull(error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
  throw new PluginError(
    'provider_down',
    'no space is left where files are spooled; make room, or move the state folder to a larger disk',
    { code: 'DISK_FULL', cause: error },
  );
}
