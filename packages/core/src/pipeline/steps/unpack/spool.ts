import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { PluginError } from '@octo/plugin-api';
import type { StepContext } from '../../step.ts';
import { coalesce } from '../coalesce.ts';
import { Growth } from '../growth.ts';

const WRITE_BYTES = 256 * 1024;

/** A private copy of a stream on local disk, for what needs random access. Gone when it is disposed. */
export class Spool implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * @throws PluginError `integrity`, code `LIMIT`, for more than `limits.maxBytes`; `provider_down`, code `DISK_FULL`
   */
  static async of(bytes: AsyncIterable<Uint8Array>, context: StepContext): Promise<Spool> {
    const spool = new Spool(join(context.spoolFolder, randomUUID()));
    try {
      await spool.#fill(bytes, context);
      return spool;
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { force: true });
  }

  async #fill(bytes: AsyncIterable<Uint8Array>, context: StepContext): Promise<void> {
    const bound = new Growth({ ...context.limits, maxRatio: Infinity });
    bound.read = 1;
    await using file = await open(this.path, 'wx', 0o600).catch(asDiskFull);
    for await (const chunk of coalesce(bytes, WRITE_BYTES)) {
      context.signal.throwIfAborted();
      bound.wrote(chunk.length);
      await writeAll(file, chunk).catch(asDiskFull);
    }
  }
}

/** A file system that is nearly full writes less than it was asked to, without an error. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
  }
}

function asDiskFull(error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
  throw new PluginError(
    'provider_down',
    'no space is left where archives are unpacked; make room, or move the state folder to a larger disk',
    { code: 'DISK_FULL', cause: error },
  );
}
