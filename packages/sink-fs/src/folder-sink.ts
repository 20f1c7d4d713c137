import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  PluginError,
  type Clock,
  type Diagnosis,
  type Logger,
  type ObjectToStage,
  type Sink,
  type Staged,
  type Upload,
  type VisibleObject,
} from '@octo/plugin-api';
import { diagnoseFolder, expectWritable } from './diagnose-folder.ts';
import type { Disk } from './disk.ts';
import { asPluginError, blockedKey, errnoOf, unless } from './disk-error.ts';
import { DurableFolders } from './durable-folders.ts';
import { FolderPlace } from './folder-place.ts';
import { objectPath, type ObjectPath } from './object-path.ts';
import { etagOf } from './object-records.ts';
import { SharedWork } from './shared-work.ts';
import { StagedFile } from './staged-file.ts';
import { newUploadId } from './upload-id.ts';

export interface FolderSinkOptions {
  /** Absolute. */
  readonly directory: string;
  readonly fileMode: number;
  readonly directoryMode: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly disk: Disk;
}

/**
 * A folder in which files appear whole, once, and durably. A file is written under a private name and gets its public one
 * by a hard link, which the file system refuses where something is.
 */
export class FolderSink implements Sink {
  readonly commits = 'conditional';
  /** An unlinked file cannot be linked any more: an abort is final at once. */
  readonly completeGraceMs = 0;
  /** The hash of every object is in its record, so small ones need no other way. */
  readonly smallBytes = 0;
  readonly #options: FolderSinkOptions;
  readonly #disk: Disk;
  readonly #folders: DurableFolders;
  readonly #uploads = new Set<StagedFile>();
  readonly #roots = new SharedWork<string | undefined>();
  #place: string;
  #root: string;
  #prepared: Promise<FolderPlace> | undefined;

  constructor(options: FolderSinkOptions) {
    this.#options = options;
    this.#root = options.directory;
    this.#place = options.directory;
    this.#disk = options.disk;
    this.#folders = new DurableFolders(this.#disk, options.directoryMode);
  }

  /**
   * Once started, symbolic links on the way to the folder are resolved, so that one folder is one place, whether it exists
   * already or not.
   */
  get place(): string {
    return pathToFileURL(this.#place).href;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // A folder that cannot be reached now is the business of the first upload.
    const { directory } = this.#options;
    this.#place = await realLocation(this.#disk, directory).catch(() => directory);
  }

  async stage({ key, metadata, sizeHint }: ObjectToStage, signal: AbortSignal): Promise<Staged> {
    signal.throwIfAborted();
    return this.#answer(async () => {
      objectPath(this.#root, key);
      const place = await this.#prepare();
      const path = objectPath(place.root, key);
      await this.#refuseBlocked(path);
      const id = newUploadId(key);
      const released = () => void this.#uploads.delete(staged);
      const staged: StagedFile = new StagedFile(place, {
        id,
        path,
        metadata,
        sizeHint,
        released,
      });
      this.#uploads.add(staged);
      return staged;
    });
  }

  async abort({ id }: Upload, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#answer(async () => {
      const place = await this.#prepare();
      const staged = place.stagedFile(id);
      if (staged === undefined) return;
      await this.#kill(staged);
      await place.removeKeyMark(id);
    });
  }

  async head(key: string, signal: AbortSignal): Promise<VisibleObject | undefined> {
    signal.throwIfAborted();
    return this.#answer(async () => {
      objectPath(this.#root, key);
      const place = await this.#existing();
      return place && this.#look(place, objectPath(place.root, key));
    });
  }

  async *uploads(signal: AbortSignal): AsyncGenerator<Upload & { readonly startedMs: number }> {
    signal.throwIfAborted();
    const place = await this.#answer(() => this.#existing());
    if (!place) return;
    try {
      for await (const upload of place.uploads()) {
        signal.throwIfAborted();
        yield upload;
      }
    } catch (error) {
      throw asPluginError(error, this.#root);
    }
  }

  async health(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#answer(async () => {
      this.#folders.expectAllTrusted();
      await expectWritable(this.#disk, this.#options.directory);
    });
  }

  async *diagnose(signal: AbortSignal): AsyncGenerator<Diagnosis> {
    signal.throwIfAborted();
    yield* diagnoseFolder(this.#disk, this.#options.directory, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const uploads = [...this.#uploads];
    this.#uploads.clear();
    await Promise.all(uploads.map((upload) => upload[Symbol.asyncDispose]()));
  }

  /**
   * Ours is said of a file only when it is there for good: whoever adopts it may forget the upload. Its bytes were synced
   * before it got its record; its name may have been given by a process that died then.
   */
  async #look(place: FolderPlace, path: ObjectPath): Promise<VisibleObject | undefined> {
    if (!(await this.#foldersExist(place, path))) return undefined;
    const status = await this.#folders.statusOf(path.file);
    if (!status) return undefined;
    if (status.kind !== 'file') return { bytes: 0, metadata: {} };
    const etag = etagOf(status);
    const record = await place.records.find(etag, path.key);
    if (!record) return { bytes: status.bytes, metadata: {}, etag };
    await place.makeDurable(path);
    return {
      bytes: status.bytes,
      metadata: record.metadata,
      etag,
      sha256: Buffer.from(record.sha256, 'hex'),
    };
  }

  /** What is absent from a folder that is not trusted may be back after a power cut. */
  async #foldersExist(place: FolderPlace, path: ObjectPath): Promise<boolean> {
    for (const folder of [place.root, ...path.folders]) {
      this.#folders.expectTrusted(folder);
      const status = await this.#folders.statusOfFolder(folder);
      if (status?.kind === 'other') throw blockedKey(folder);
      if (status?.kind !== 'folder') return false;
    }
    return true;
  }

  /**
   * After this no process can make the upload visible. A name that a folder has cannot be created any more; a file that was
   * unlinked can neither be linked nor created a second time, since an upload creates its file once.
   */
  async #kill(staged: string): Promise<void> {
    try {
      await this.#disk.makeFolder(staged, 0o700);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      const status = await this.#folders.statusOf(staged);
      if (status?.kind === 'file') await unless(['ENOENT'], this.#disk.unlink(staged));
    }
  }

  async #refuseBlocked(path: ObjectPath): Promise<void> {
    for (const folder of path.folders) if (!(await this.#folders.isFolder(folder))) break;
    await this.#folders.statusOf(path.file);
  }

  /** The place with everything in it that an upload needs, made when it is missing. */
  async #prepare(): Promise<FolderPlace> {
    const prepared = await this.#prepared?.catch(() => undefined);
    if (prepared && (await prepared.isPrepared())) return prepared;
    this.#prepared = this.#make();
    return this.#prepared;
  }

  async #make(): Promise<FolderPlace> {
    await this.#folders.makeDeep(this.#options.directory);
    const place = await this.#existing();
    if (!place) throw missingFolder(this.#root);
    await place.prepare();
    return place;
  }

  async #existing(): Promise<FolderPlace | undefined> {
    const { directory } = this.#options;
    const root = await this.#roots.run('', () =>
      unless(['ENOENT'], this.#disk.realPath(directory)),
    );
    if (root === undefined) return undefined;
    this.#root = root;
    return new FolderPlace(root, { ...this.#options, disk: this.#disk, folders: this.#folders });
  }

  async #answer<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asPluginError(error, this.#root);
    }
  }
}

/** Without symbolic links, as far as the path exists. */
async function realLocation(disk: Disk, path: string): Promise<string> {
  const real = await unless(['ENOENT'], disk.realPath(path));
  return real ?? join(await realLocation(disk, dirname(path)), basename(path));
}

function missingFolder(folder: string): PluginError {
  return new PluginError(
    'not_found',
    `folder '${folder}' cannot be made: something else has its name, or takes it away again`,
    { code: 'FOLDER_GONE' },
  );
}
