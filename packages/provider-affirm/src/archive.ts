import type { Done, Logger, RemoteFile } from '@octo/plugin-api';
import { isPluginError } from '@octo/plugin-api';
import { type Folder, joined, sameVersion, type Version } from './folder/folder.ts';

/**
 * The folder at the vendor where delivered files go, each under `<name>.<delivery id>`.
 *
 * Between a look at a file and its move the vendor may publish the next version under the same name, and then that one
 * is moved. Nothing can prevent it, so the archive is listed like the inbox: what lies there and is not the version of
 * the delivery in its name is a version of its own, and is delivered from there. For the same reason files are deleted
 * only here, after a second look.
 */
export class Archive {
  readonly #options: ArchiveOptions;
  #made = false;

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** What lies in the archive, as the host wants to see it; nothing when the folder is missing. */
  async *list(
    inInbox: (entry: Version & { readonly name: string }) => RemoteFile | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<RemoteFile> {
    const { folder, path } = this.#options;
    try {
      for await (const entry of folder.list(path, signal)) {
        const { name, deliveryId } = split(entry.name);
        const file = deliveryId === undefined ? undefined : inInbox({ ...entry, name });
        if (file === undefined || deliveryId === undefined || entry.refused !== undefined) continue;
        yield { ...file, location: entry.path, archivedFor: deliveryId };
      }
    } catch (error) {
      if (!isPluginError(error) || error.type !== 'not_found') throw error;
    }
  }

  /** Moves the file here, and deletes it when that is wanted. Does nothing to any other version of it. */
  async take(file: RemoteFile, deliveryId: string, signal: AbortSignal): Promise<Done | undefined> {
    const { folder, path, thenDelete } = this.#options;
    const target = joined(path, `${file.name}.${deliveryId}`);
    if (file.location !== target && !(await this.#move(file, target, signal))) return undefined;
    const moved = await folder.stat(target, signal);
    // Also when it was deleted before, or the next version was moved in its place.
    if (!sameVersion(file, moved)) return undefined;
    if (!thenDelete) return { location: target };
    await folder.remove(target, signal);
    return {};
  }

  /** Whether the file may be at the target now, by this move or an earlier one. */
  async #move(file: RemoteFile, target: string, signal: AbortSignal): Promise<boolean> {
    const { folder } = this.#options;
    const from = file.location ?? file.path;
    if (!sameVersion(file, await folder.stat(from, signal))) return true;
    if (!this.#mayMove(file, target)) return false;
    await this.#make(signal);
    if ((await folder.rename(from, target, signal)) === 'moved')
      this.#learn(file, await folder.stat(target, signal));
    return true;
  }

  #mayMove(file: RemoteFile, target: string): boolean {
    const { logger, moves } = this.#options;
    if (moves.keepTimes === false) return false;
    const name = target.slice(target.lastIndexOf('/') + 1);
    if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return true;
    logger.warn({ file: file.path }, 'name too long for the archive, file left where it is');
    return false;
  }

  async #make(signal: AbortSignal): Promise<void> {
    if (!this.#made) await this.#options.folder.makeFolder(this.#options.path, signal);
    this.#made = true;
  }

  /**
   * The first move shows whether the server keeps the time of a moved file, as OpenSSH does. Where it does not, a moved
   * file would look like a new version; it is found to have the same content, but no more files are moved.
   */
  #learn(file: RemoteFile, moved: Version | undefined): void {
    const { logger, moves } = this.#options;
    if (sameVersion(file, moved)) moves.keepTimes = true;
    else if (moved?.size === file.size && moves.keepTimes === undefined) {
      moves.keepTimes = false;
      logger.warn(
        { file: file.path },
        'the server changes the time of files that are moved, so further files are left where they are',
      );
    } else if (moved !== undefined)
      logger.info({ file: file.path }, 'the next version was moved, it is delivered from there');
  }
}

export interface ArchiveOptions {
  readonly folder: Folder;
  readonly path: string;
  readonly thenDelete: boolean;
  readonly logger: Logger;
  readonly moves: MoveExperience;
}

/** What an instance has learnt about its server; lives longer than a session. */
export interface MoveExperience {
  keepTimes?: boolean;
}

/** Where files lie on their way to deletion, inside the inbox. */
export const PRIVATE_ARCHIVE = '.octo-archive';

/** Of nearly every file system. */
const MAX_NAME_BYTES = 255;

function split(name: string): { readonly name: string; readonly deliveryId?: string } {
  const point = name.lastIndexOf('.');
  return point < 1 ? { name } : { name: name.slice(0, point), deliveryId: name.slice(point + 1) };
}
