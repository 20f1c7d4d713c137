import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  PluginError,
  type Done,
  type Provider,
  type RemoteFile,
  type Session,
} from '@octo/plugin-api';

/** The smallest provider that keeps the contract: the files of one folder, moved into its archive when done. */
export class FolderProvider implements Provider {
  readonly settleMs = 0;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async connect(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    return new FolderSession(this.#folder);
  }
}

class FolderSession implements Session {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async *list(signal: AbortSignal): AsyncGenerator<RemoteFile> {
    signal.throwIfAborted();
    for (const name of await readdir(this.#folder)) {
      const file =
        name === 'archive' ? undefined : await this.#look(name, join(this.#folder, name));
      if (file) yield file;
    }
  }

  async stat(file: RemoteFile, signal: AbortSignal): Promise<RemoteFile | undefined> {
    signal.throwIfAborted();
    return this.#look(file.name, file.location ?? file.path);
  }

  async *read(
    file: RemoteFile,
    { offset }: { readonly offset: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    signal.throwIfAborted();
    const path = file.location ?? file.path;
    await using handle = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
      throw new PluginError('not_found', `'${path}' is gone`, { cause });
    });
    for (let position = offset; ;) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
      signal.throwIfAborted();
    }
  }

  async done(file: RemoteFile, deliveryId: string, signal: AbortSignal): Promise<Done> {
    signal.throwIfAborted();
    const location = join(this.#folder, 'archive', `${file.name}.${deliveryId}`);
    const now = await this.#look(file.name, file.path);
    if (now?.size === file.size && now.mtimeMs === file.mtimeMs) {
      await mkdir(join(this.#folder, 'archive'), { recursive: true });
      await rename(file.path, location);
    }
    return { location };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #look(name: string, path: string): Promise<RemoteFile | undefined> {
    const found = await stat(path).catch(() => undefined);
    return found && { path, name, size: found.size, mtimeMs: found.mtimeMs };
  }
}
