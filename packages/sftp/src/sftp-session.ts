/** An open SFTP session: folders and files of one user at one server. Several operations may run at the same time. */
import { isPluginError, PluginError } from '@octo/plugin-api';
import type { Stats } from 'ssh2';
import { displayPath } from './display-path.ts';
import { statOf, type FolderEntry, type SftpStat } from './folder-entry.ts';
import { listFolder } from './list-folder.ts';
import { OpenFiles } from './open-files.ts';
import type { Decryption } from './own-decryption.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { uploadFile } from './upload-file.ts';
import { WindowedReader } from './windowed-reader.ts';

export interface ReadOptions {
  /** Where to begin, in bytes. Default: 0. */
  readonly offset?: number;
  /**
   * How long the whole file must be, in bytes, as listed. Default: what the server says of the opened file. Less or more
   * is an error.
   */
  readonly size?: number;
}

export class SftpSession implements AsyncDisposable {
  readonly #connection: SftpConnection;
  readonly #files = new OpenFiles();

  constructor(connection: SftpConnection) {
    this.#connection = connection;
  }

  /** Aborted, with a {@link PluginError}, once the connection is lost: then open a new session. */
  get lost(): AbortSignal {
    return this.#connection.lost;
  }

  /** Who decrypts what the server sends: a `library` in JavaScript is slow. */
  get decryption(): Decryption {
    return this.#connection.decryption;
  }

  /**
   * Every entry of a folder, in the server's order; `''` is the folder of the login. Entries that must not be opened say
   * so in `refused`.
   * @throws PluginError `not_found`, `auth` with code `PERMISSION_DENIED`, `integrity` with code `LISTING_LIMIT`, …
   */
  list(folder: string, signal: AbortSignal): AsyncIterable<FolderEntry> {
    return listFolder(this.#connection, folder, signal);
  }

  /** What lies at the path, following symbolic links; undefined when nothing does. */
  stat(path: string, signal: AbortSignal): Promise<SftpStat | undefined> {
    return this.#stat('stat', path, signal);
  }

  /** As {@link SftpSession.stat}, but of a symbolic link itself. */
  lstat(path: string, signal: AbortSignal): Promise<SftpStat | undefined> {
    return this.#stat('lstat', path, signal);
  }

  /**
   * The file's bytes in order, in chunks of up to 256 KiB that belong to the reader. Ends only where the server says that
   * the file ends. `break` closes the file.
   * @throws PluginError `not_found`, `integrity` with code `TRUNCATED` or `GROWN`, `network` with code `STALLED`,
   *   `TOO_SLOW` or `CONNECTION_LOST`, …
   */
  async *read(
    path: string,
    options: ReadOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const handle = await this.#open(path, signal);
    try {
      const size = options.size ?? (await this.#sizeOf(handle, path, signal));
      const file = { handle, path, offset: options.offset ?? 0, size };
      yield* new WindowedReader(this.#connection, file).chunks(signal);
    } finally {
      // Nobody waits for it: the server hears of it before whatever is asked next.
      void this.#connection.close(handle, path);
      this.#files.giveBack();
    }
  }

  /**
   * Puts a small file at the path, in place of what is there, and resolves when the server has all of it. After an error it
   * is not known how much of the file is there.
   * @throws PluginError `auth` with code `PERMISSION_DENIED`, `provider_down` with code `NO_SPACE`, …
   */
  upload(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return uploadFile(this.#connection, path, bytes, signal);
  }

  /**
   * Moves a file or folder, never over another.
   * @throws PluginError `not_found`; `validation` with code `TARGET_EXISTS`
   */
  async rename(from: string, to: string, signal: AbortSignal): Promise<void> {
    // Some servers replace the target, others say no more than "failure": so look before, and after a failure.
    await this.#mustNotExist(from, to, signal);
    try {
      await this.#connection.ask<void>(
        {
          doing: `rename to ${displayPath(to)}`,
          path: from,
          ask: (sftp, answer) => sftp.rename(from, to, (error) => answer(error ?? undefined)),
        },
        signal,
      );
    } catch (error) {
      if (isPluginError(error) && error.type === 'provider_down') {
        await this.#mustNotExist(from, to, signal);
      }
      throw error;
    }
  }

  /** @throws PluginError `not_found` */
  remove(path: string, signal: AbortSignal): Promise<void> {
    return this.#connection.ask<void>(
      {
        doing: 'remove',
        path,
        ask: (sftp, answer) => sftp.unlink(path, (error) => answer(error ?? undefined)),
      },
      signal,
    );
  }

  /** Makes a folder unless it is there. Its parent must be. */
  async makeFolder(path: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#connection.ask<void>(
        {
          doing: 'make folder',
          path,
          ask: (sftp, answer) => sftp.mkdir(path, (error) => answer(error ?? undefined)),
        },
        signal,
      );
    } catch (error) {
      if ((await this.#stat('stat', path, signal))?.kind !== 'folder') throw error;
    }
  }

  /** The absolute path that the server knows this one by. */
  realpath(path: string, signal: AbortSignal): Promise<string> {
    return this.#connection.ask<string>(
      { doing: 'resolve', path, ask: (sftp, answer) => sftp.realpath(path, answer) },
      signal,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  async #open(path: string, signal: AbortSignal): Promise<Buffer> {
    for (;;) {
      const open = await this.#files.take(signal);
      try {
        return await this.#openOnce(path, signal);
      } catch (error) {
        this.#files.giveBack();
        if (!saysTooMany(error) || !this.#files.lower(open)) throw error;
      }
    }
  }

  #openOnce(path: string, signal: AbortSignal): Promise<Buffer> {
    return this.#connection.ask<Buffer>(
      {
        doing: 'open',
        path,
        ask: (sftp, answer) => sftp.open(path, 'r', answer),
        tooLate: (handle) => void this.#connection.close(handle, path),
      },
      signal,
    );
  }

  async #sizeOf(handle: Buffer, path: string, signal: AbortSignal): Promise<number | undefined> {
    const attributes = await this.#connection.ask<Partial<Stats>>(
      { doing: 'stat', path, ask: (sftp, answer) => sftp.fstat(handle, answer) },
      signal,
    );
    return attributes.size;
  }

  async #stat(
    how: 'stat' | 'lstat',
    path: string,
    signal: AbortSignal,
  ): Promise<SftpStat | undefined> {
    try {
      const attributes = await this.#connection.ask<Partial<Stats>>(
        { doing: how, path, ask: (sftp, answer) => sftp[how](path, answer) },
        signal,
      );
      return statOf(attributes);
    } catch (error) {
      if (isPluginError(error) && error.type === 'not_found') return undefined;
      throw error;
    }
  }

  async #mustNotExist(from: string, to: string, signal: AbortSignal): Promise<void> {
    if ((await this.#stat('lstat', to, signal)) === undefined) return;
    const { address } = this.#connection.settings;
    throw new PluginError(
      'validation',
      `sftp ${address}: cannot rename ${displayPath(from)} to ${displayPath(to)}: something is there already`,
      { code: 'TARGET_EXISTS' },
    );
  }
}

/** There is no status for it: servers say "failure". */
function saysTooMany(error: unknown): boolean {
  return isPluginError(error) && error.code === 'SFTP_FAILURE';
}
