import { join } from 'node:path';
import { PluginError, type Clock, type Logger } from '@octo/plugin-api';
import { type Disk, UNFINISHED_MARK } from './disk.ts';
import { errnoOf, unless } from './disk-error.ts';
import type { DurableFolders } from './durable-folders.ts';
import { INTERNAL_FOLDER, type ObjectPath } from './object-path.ts';
import { ObjectRecords } from './object-records.ts';
import { ReplaceClaims } from './replace-claims.ts';
import { isUploadId, keyTold } from './upload-id.ts';

/** An upload's first byte comes at most this long after its id. */
export const BEGIN_WITHIN_MS: number = 7 * 24 * 3_600_000;
/** So an abort of an upload without bytes may be forgotten after this. */
const FORGET_ABORTS_AFTER_MS = 30 * 24 * 3_600_000;

/** Nobody but the owner looks into the sink's own folder: unverified bytes lie there. */
const PRIVATE_MODE = 0o700;

export interface Surroundings {
  readonly disk: Disk;
  readonly folders: DurableFolders;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly fileMode: number;
}

/**
 * The folders of the sink below one root:
 *
 * ```
 * <root>/.octo/staged/<upload id>       bytes nobody sees; a folder of that name when the upload was aborted before its first byte
 * <root>/.octo/staged/<upload id>.key   a mark whose text is the key, where the key is too long to be in the id
 * <root>/.octo/objects/<etag>           whose file this is: see ObjectRecords
 * <root>/.octo/replacing/<etag>.<n>     see ReplaceClaims
 * <root>/…                              what readers see
 * ```
 */
export class FolderPlace {
  readonly root: string;
  readonly surroundings: Surroundings;
  readonly records: ObjectRecords;
  readonly claims: ReplaceClaims;
  readonly #internal: string;
  readonly #staged: string;
  readonly #objects: string;
  readonly #replacing: string;

  /** @param root without symbolic links in it */
  constructor(root: string, surroundings: Surroundings) {
    const { disk, folders } = surroundings;
    this.root = root;
    this.surroundings = surroundings;
    this.#internal = join(root, INTERNAL_FOLDER);
    this.#staged = join(this.#internal, 'staged');
    this.#objects = join(this.#internal, 'objects');
    this.#replacing = join(this.#internal, 'replacing');
    this.records = new ObjectRecords(disk, folders, this.#objects);
    this.claims = new ReplaceClaims(disk, this.#replacing, this.#staged);
  }

  /**
   * Makes the sink's own folders, durably, and proves that the file system can do what a commit needs.
   * @throws PluginError `validation`, code `NO_HARD_LINKS`
   */
  async prepare(): Promise<void> {
    const { folders } = this.surroundings;
    await folders.make(
      [this.#internal, this.#staged, this.#objects, this.#replacing],
      PRIVATE_MODE,
    );
    await folders.sync(this.#internal);
    await folders.sync(this.root);
    await folders.syncAbove(this.root);
    await proveHardLinks(this.surroundings.disk, this.#internal);
    await this.#forgetOldAborts();
  }

  /** Somebody may have taken the folders away. */
  async isPrepared(): Promise<boolean> {
    const status = await this.surroundings.folders.statusOfFolder(this.#objects);
    return status?.kind === 'folder';
  }

  /** Returns when the name of the object, and every folder on the way to it, survives a power cut. */
  async makeDurable(path: ObjectPath): Promise<void> {
    for (const folder of [this.root, ...path.folders].toReversed()) {
      await this.surroundings.folders.sync(folder);
    }
  }

  /** Where the bytes of an upload are staged; `undefined` for an id that no upload of ours has. */
  stagedFile(id: string): string | undefined {
    return isUploadId(id) ? join(this.#staged, id) : undefined;
  }

  /** Remembers the key of an upload, unless its id tells it. */
  async putKeyMark(id: string, key: string): Promise<void> {
    if (keyTold(id) === undefined)
      await unless(['EEXIST'], this.surroundings.disk.putMark(key, this.#keyMark(id)));
  }

  async removeKeyMark(id: string): Promise<void> {
    if (keyTold(id) === undefined)
      await unless(['ENOENT'], this.surroundings.disk.unlink(this.#keyMark(id)));
  }

  /** Uploads that have bytes and were neither aborted nor finished. */
  async *uploads(): AsyncGenerator<{ id: string; key: string; startedMs: number }> {
    const { disk, folders } = this.surroundings;
    for (const id of (await unless(['ENOENT'], disk.list(this.#staged))) ?? []) {
      const path = this.stagedFile(id);
      const status = path === undefined ? undefined : await folders.statusOf(path);
      if (status?.kind !== 'file') continue;
      const mark = () => unless(['ENOENT', 'EINVAL'], disk.readMark(this.#keyMark(id)));
      const key = keyTold(id) ?? (await mark()) ?? '';
      yield { id, key, startedMs: Number(status.mtimeNs / 1_000_000n) };
    }
  }

  #keyMark(id: string): string {
    return join(this.#staged, `${id}.key`);
  }

  async #forgetOldAborts(): Promise<void> {
    const { disk, folders, clock } = this.surroundings;
    const names = await disk.list(this.#staged);
    for (const name of names) {
      const path = join(this.#staged, name);
      const orphan =
        name.endsWith(UNFINISHED_MARK) ||
        (name.endsWith('.key') && !names.includes(name.slice(0, -'.key'.length)));
      const status = await folders.statusOf(path);
      if (status === undefined || (status.kind !== 'folder' && !orphan)) continue;
      const ageMs = clock.now() - Number(status.mtimeNs / 1_000_000n);
      if (ageMs < FORGET_ABORTS_AFTER_MS) continue;
      await unless(
        ['ENOENT'],
        status.kind === 'folder' ? disk.removeFolder(path) : disk.unlink(path),
      );
    }
  }
}

/**
 * A commit is one hard link, which must be refused where something is.
 * @throws PluginError `validation`, code `NO_HARD_LINKS`
 */
export async function proveHardLinks(disk: Disk, folder: string): Promise<void> {
  const from = join(folder, `probe-${crypto.randomUUID()}`);
  const to = `${from}-link`;
  await (await disk.create(from)).close();
  try {
    await disk.link(from, to).catch((cause: unknown) => {
      throw noHardLinks(folder, cause);
    });
    const second = await disk.link(from, to).then(
      () => 'a second link to the same name was not refused',
      (error: unknown) => (errnoOf(error) === 'EEXIST' ? undefined : error),
    );
    if (second !== undefined) throw noHardLinks(folder, second);
  } finally {
    await unless(['ENOENT'], disk.unlink(to));
    await unless(['ENOENT'], disk.unlink(from));
  }
}

function noHardLinks(folder: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno !== undefined && ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'].includes(errno))
    return cause;
  return new PluginError(
    'validation',
    `the file system of folder '${folder}' has no hard links (${errno ?? 'not exclusive'}): place the directory on one that has, such as ext4, xfs, btrfs, zfs, apfs or nfs`,
    { cause, code: 'NO_HARD_LINKS' },
  );
}
