import { dirname } from 'node:path';
import { PluginError } from '@octo/plugin-api';
import type { Disk, Status } from './disk.ts';
import { blockedKey, errnoOf, unless } from './disk-error.ts';
import { SharedWork } from './shared-work.ts';

/** The folder was not opened, so nothing was forgotten. */
const NOT_OPENED = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'EMFILE', 'ENFILE'];
/** The file system does not sync folders. */
const NOT_SUPPORTED = ['EINVAL', 'ENOTSUP'];

/** Folders that are there after a power cut, too: a new entry is durable once its folder was synced. */
export class DurableFolders {
  readonly #disk: Disk;
  readonly #mode: number;
  readonly #distrusted = new Map<string, unknown>();
  readonly #syncs = new SharedWork<void>();
  readonly #looks = new SharedWork<Status | undefined>();

  constructor(disk: Disk, mode: number) {
    this.#disk = disk;
    this.#mode = mode;
  }

  /**
   * Makes those that are missing, in this order. A symbolic link is not a folder: it could lead out of the root.
   * @throws PluginError `validation`, code `KEY_BLOCKED`
   */
  async make(folders: readonly string[], mode: number = this.#mode): Promise<void> {
    for (const folder of folders) {
      if (await this.isFolder(folder)) continue;
      await unless(['EEXIST'], this.#disk.makeFolder(folder, mode));
      if (!(await this.isFolder(folder))) throw blockedKey(folder);
    }
  }

  /** Makes a folder with every ancestor that is missing. */
  async makeDeep(folder: string): Promise<void> {
    if (await this.#follow(folder)) return;
    await this.makeDeep(dirname(folder));
    await unless(['EEXIST'], this.#disk.makeFolder(folder, this.#mode));
  }

  /**
   * Syncs what is above a folder, up to the top: an earlier process may have made any of it and died before it could.
   * A folder in which this user may not write is none in which he made something.
   */
  async syncAbove(folder: string): Promise<void> {
    for (let above = dirname(folder); ; above = dirname(above)) {
      await unless(NOT_SUPPORTED, this.sync(above)).catch(async (error: unknown) => {
        const mayWrite = await this.#disk.mayWrite(above).then(
          () => true,
          () => false,
        );
        if (mayWrite) throw error;
      });
      if (above === dirname(above)) return;
    }
  }

  /** @throws PluginError `validation`, code `KEY_BLOCKED` when something else is there */
  async isFolder(path: string): Promise<boolean> {
    const status = await this.statusOfFolder(path);
    if (status !== undefined && status.kind !== 'folder') throw blockedKey(path);
    return status !== undefined;
  }

  /** The same, of what many ask for at the same time. */
  async statusOfFolder(path: string): Promise<Status | undefined> {
    return await this.#looks.run(path, () => this.statusOf(path));
  }

  async statusOf(path: string): Promise<Status | undefined> {
    return unless(['ENOENT'], this.#disk.status(path));
  }

  /**
   * Returns when every entry of the folder is durable. After a sync that failed the system may forget what it could
   * not write and call the next one a success, so there is no next one: the folder is not trusted again. Whoever asks
   * while a sync is under way waits for the next, which all of them share.
   * @throws PluginError `provider_down`, code `FSYNC_FAILED`
   */
  async sync(folder: string): Promise<void> {
    await this.#syncs.run(folder, () => this.#sync(folder));
  }

  async #sync(folder: string): Promise<void> {
    this.expectTrusted(folder);
    try {
      await this.#disk.syncFolder(folder);
    } catch (error) {
      if ([...NOT_OPENED, ...NOT_SUPPORTED].includes(errnoOf(error) ?? '')) throw error;
      this.#distrusted.set(folder, error);
      this.expectTrusted(folder);
    }
  }

  /** @throws PluginError `provider_down` when a sync of this folder failed before */
  expectTrusted(folder: string): void {
    if (!this.#distrusted.has(folder)) return;
    throw new PluginError(
      'provider_down',
      `folder '${folder}' could not be written to the disk (fsync failed): check the disk and its file system, then start again`,
      { cause: this.#distrusted.get(folder), code: 'FSYNC_FAILED' },
    );
  }

  /** @throws PluginError `provider_down` when any sync failed before */
  expectAllTrusted(): void {
    for (const folder of this.#distrusted.keys()) this.expectTrusted(folder);
  }

  async #follow(folder: string): Promise<boolean> {
    const real = await unless(['ENOENT'], this.#disk.realPath(folder));
    return real !== undefined && this.isFolder(real);
  }
}
