import {
  type Inspection,
  isPluginError,
  PluginError,
  type RemoteFile,
  type Session,
} from '@octo/plugin-api';
import type { Archive } from './archive.ts';
import { inspectSettlement } from './content/inspect-settlement.ts';
import type { FilePattern } from './file-pattern.ts';
import { type Entry, type Folder, joined } from './folder/folder.ts';

/** The settlement files in one folder and, when delivered files are moved, in its archive. */
export class SettlementSession implements Session {
  readonly #options: SettlementSessionOptions;
  /** Missing when files are left where they are: then there is nothing to do after a delivery. */
  readonly done?: NonNullable<Session['done']>;

  constructor(options: SettlementSessionOptions) {
    this.#options = options;
    const { archive } = options;
    if (archive === undefined) return;
    this.done = async (file, deliveryId, signal) => {
      signal.throwIfAborted();
      return await archive.take(file, deliveryId, signal);
    };
  }

  async *list(signal: AbortSignal): AsyncGenerator<RemoteFile> {
    const { archive } = this.#options;
    for await (const entry of this.#entries(signal)) {
      const file = entry.refused === undefined ? this.#file(entry) : this.#refused(entry);
      if (file !== undefined) yield file;
    }
    if (archive !== undefined) yield* archive.list((entry) => this.#file(entry), signal);
  }

  /**
   * Resolves when the folder is there and may be listed. Asks for its beginning only, however much lies in it.
   * @throws PluginError `validation` with code `FOLDER_MISSING`, `auth`, `network`, …
   */
  async expectListable(signal: AbortSignal): Promise<void> {
    const entries = this.#entries(signal);
    await entries.next();
    await entries.return();
  }

  async stat(file: RemoteFile, signal: AbortSignal): Promise<RemoteFile | undefined> {
    const found = await this.#options.folder.stat(file.location ?? file.path, signal);
    return found === undefined ? undefined : { ...file, size: found.size, mtimeMs: found.mtimeMs };
  }

  read(
    file: RemoteFile,
    options: { readonly offset: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const { size, mtimeMs } = file;
    const there = { path: file.location ?? file.path, size, mtimeMs };
    return this.#options.folder.read(there, options.offset, signal);
  }

  inspect(file: RemoteFile): Inspection | undefined {
    return inspectSettlement(file.fields?.['kind']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.folder[Symbol.asyncDispose]();
  }

  async *#entries(signal: AbortSignal): AsyncGenerator<Entry, void> {
    const { folder, inbox } = this.#options;
    try {
      yield* folder.list(inbox, signal);
    } catch (error) {
      throw isMissing(error) ? inboxMissing(inbox, error) : error;
    }
  }

  #file(entry: Entry): RemoteFile | undefined {
    const match = this.#options.pattern.match(entry.name);
    if (match === undefined) return undefined;
    const { name, size, mtimeMs } = entry;
    return { path: joined(this.#options.inbox, name), name, size, mtimeMs, ...match };
  }

  /** An entry that must not be opened is worth telling when it looks like one of ours; others are none of our business. */
  #refused({ name, path, size, mtimeMs, refused = '' }: Entry): RemoteFile | undefined {
    const ours = name.includes('\uFFFD') || this.#options.pattern.mayMean(name);
    return ours ? { path, name, size, mtimeMs, refused } : undefined;
  }
}

export interface SettlementSessionOptions {
  /** Disposed with the session. */
  readonly folder: Folder;
  readonly inbox: string;
  readonly pattern: FilePattern;
  /** Missing when delivered files are left where they are. */
  readonly archive?: Archive;
}

function isMissing(error: unknown): boolean {
  return isPluginError(error) && error.type === 'not_found';
}

/** An empty folder is normal before the first settlement; a missing one is a wrong setting. */
function inboxMissing(inbox: string, cause: unknown): PluginError {
  return new PluginError(
    'validation',
    `there is no folder '${inbox}'; check config/remoteDir or config/directory, and whether this login may see it`,
    { cause, code: 'FOLDER_MISSING' },
  );
}
