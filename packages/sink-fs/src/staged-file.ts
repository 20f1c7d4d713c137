import { Crc64Nvme, crcToBytes } from '@octo/crc64nvme';
import {
  isPluginError,
  PluginError,
  type CommitAnswer,
  type ObjectToStage,
  type Proof,
  type Staged,
} from '@octo/plugin-api';
import type { DiskFile } from './disk.ts';
import { asPluginError, errnoOf, unless } from './disk-error.ts';
import { BEGIN_WITHIN_MS, type FolderPlace } from './folder-place.ts';
import type { ObjectPath } from './object-path.ts';
import { etagOf } from './object-records.ts';
import { writeAll } from './write-all.ts';

/** Chunks are gathered up to this many bytes for one call of the system. */
const GATHER_BYTES = 256 * 1024;

/** The disk begins with so many bytes while the next ones come, or all of them would have to be waited for at the end. */
const SYNC_EVERY_BYTES = 32 * 1024 ** 2;

/** Folders of a key that somebody removes while we make them are made again this often. */
const FOLDER_TRIES = 3;

/** How the system refuses to link or rename what is not there, or a folder. */
const ABORTED = ['ENOENT', 'EPERM', 'EISDIR', 'ENOTDIR'];

type State =
  | { readonly name: 'new' }
  | { readonly name: 'writing'; readonly file: DiskFile }
  /** Written, synced and closed. */
  | { readonly name: 'sealed'; readonly etag: string }
  | { readonly name: 'committed'; readonly etag: string }
  /** Aborted by somebody, or its bytes are not to be trusted, or let go. */
  | { readonly name: 'dead' };

/**
 * One upload: a private file that gets a second, public name when it is committed. The order of the steps is what makes it
 * survive a power cut; it is that of `delivery-protocol`, folder sink.
 */
export class StagedFile implements Staged {
  readonly id: string;
  readonly #place: FolderPlace;
  readonly #path: ObjectPath;
  readonly #metadata: ObjectToStage['metadata'];
  readonly #staged: string;
  readonly #beginUntilMs: number;
  readonly #released: () => void;
  /** Written in one go, and then on the disk: that spares a sync. */
  readonly #isSmall: boolean;
  readonly #crc = new Crc64Nvme();
  #last: Promise<unknown> = Promise.resolve();
  #state: State = { name: 'new' };
  #bytes = 0;
  #position = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  /** An earlier commit may have made the file visible although it threw: then its record is needed. */
  #maybeVisible = false;
  /** A sync of what was written so far, which rejects when it failed: the next one would not tell. */
  #syncing: Promise<void> | undefined;
  #syncedTo = 0;

  constructor(
    place: FolderPlace,
    upload: {
      readonly id: string;
      readonly path: ObjectPath;
      readonly metadata: ObjectToStage['metadata'];
      readonly sizeHint: number | undefined;
      /** Told when it is disposed. */
      readonly released: () => void;
    },
  ) {
    const staged = place.stagedFile(upload.id);
    if (staged === undefined) throw new Error(`'${upload.id}' is no upload id`);
    this.id = upload.id;
    this.#place = place;
    this.#path = upload.path;
    this.#metadata = upload.metadata;
    this.#staged = staged;
    this.#released = upload.released;
    this.#isSmall = (upload.sizeHint ?? Infinity) <= GATHER_BYTES;
    this.#beginUntilMs = place.surroundings.clock.monotonic() + BEGIN_WITHIN_MS;
  }

  async write(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      signal.throwIfAborted();
      await this.#orDie(() => this.#write(chunk));
    });
  }

  async commit(proof: Proof, signal: AbortSignal): Promise<CommitAnswer> {
    return this.#inTurn(() => this.#commit(proof, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(async () => {
      const { file } = this.#state as { readonly file?: DiskFile };
      if (this.#state.name !== 'committed') this.#die();
      this.#released();
      await file?.close();
    });
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const file = await this.#begun();
    if (!file) throw this.#gone();
    this.#crc.update(chunk);
    this.#bytes += chunk.length;
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= GATHER_BYTES) await this.#flush(file);
  }

  async #commit(proof: Proof, signal: AbortSignal): Promise<CommitAnswer> {
    signal.throwIfAborted();
    if (this.#state.name === 'committed') return { outcome: 'committed', etag: this.#state.etag };
    const etag = await this.#orDie(() => this.#sealed(proof));
    if (etag === undefined) return { outcome: 'gone' };
    signal.throwIfAborted();
    try {
      return await this.#publish(etag, proof);
    } catch (error) {
      throw asPluginError(error, this.#place.root);
    }
  }

  /** The file to write to, made now if need be; `undefined` when the upload was aborted. */
  async #begun(): Promise<DiskFile | undefined> {
    if (this.#state.name === 'writing') return this.#state.file;
    if (this.#state.name === 'dead') return undefined;
    if (this.#state.name !== 'new') {
      throw new PluginError(
        'validation',
        `upload '${this.id}' was committed: it takes no more bytes`,
      );
    }
    const { disk, clock } = this.#place.surroundings;
    if (clock.monotonic() > this.#beginUntilMs) return this.#forgotten();
    await this.#place.putKeyMark(this.id, this.#path.key);
    const file = await unless(['EEXIST'], disk.create(this.#staged, this.#isSmall));
    if (!file) return this.#forgotten();
    this.#state = { name: 'writing', file };
    return file;
  }

  async #forgotten(): Promise<undefined> {
    this.#die();
    await this.#tolerate(this.#place.removeKeyMark(this.id));
    return undefined;
  }

  async #flush(file: DiskFile): Promise<void> {
    const chunks = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#position = await writeAll(file, chunks, this.#position);
    if (this.#position - this.#syncedTo >= SYNC_EVERY_BYTES) await this.#syncEarly(file);
  }

  /** Starts a sync, once the one before is done: what the disk cannot take yet is not gathered in memory. */
  async #syncEarly(file: DiskFile): Promise<void> {
    this.#syncedTo = this.#position;
    await this.#syncing;
    this.#syncing = file.sync();
    // Told by whoever waits for it.
    this.#syncing.catch(() => {});
  }

  /**
   * Its etag, once every byte is on the disk and is what the proof says; `undefined` when the upload is gone.
   * The proof is checked every time: a repeated commit may bring another one.
   */
  async #sealed(proof: Proof): Promise<string | undefined> {
    if (this.#state.name === 'sealed' || this.#state.name === 'committed') {
      this.#check(proof);
      return this.#state.etag;
    }
    const file = await this.#begun();
    if (!file) return undefined;
    this.#check(proof);
    await file.setMode(this.#place.surroundings.fileMode);
    const before = this.#position;
    await this.#flush(file);
    await this.#syncing;
    // A write that goes through to the disk takes the mode with it.
    if (!file.writesThrough || this.#position === before) await file.sync();
    const status = await file.status();
    if (status.bytes !== this.#bytes) {
      await this.#giveUp();
      throw this.#mismatch(`${status.bytes} bytes are on the disk`);
    }
    const etag = etagOf(status);
    this.#state = { name: 'sealed', etag };
    await file.close();
    return etag;
  }

  #check(proof: Proof): void {
    if (proof.bytes !== this.#bytes) throw this.#mismatch(`${this.#bytes} bytes were written`);
    if (!crcToBytes(this.#crc.digest()).equals(proof.crc64nvme))
      throw this.#mismatch('the CRC-64 differs');
  }

  async #publish(etag: string, proof: Proof): Promise<CommitAnswer> {
    const { records } = this.#place;
    await this.#place.surroundings.folders.make(this.#path.folders);
    await records.write(etag, {
      key: this.#path.key,
      metadata: this.#metadata,
      bytes: this.#bytes,
      // Of the same bytes, as their CRC-64 says.
      sha256: Buffer.from(proof.sha256).toString('hex'),
    });
    const repeated = this.#maybeVisible;
    this.#maybeVisible = true;
    const outcome = proof.replace
      ? await this.#replace(etag, proof.replace.etag)
      : await this.#link(etag);
    if (outcome === 'exists' || (outcome === 'gone' && !repeated)) {
      await this.#tolerate(records.remove(etag));
    }
    if (outcome !== 'committed') return { outcome };
    await this.#place.makeDurable(this.#path);
    this.#state = { name: 'committed', etag };
    await this.#remove(this.#staged);
    await this.#tolerate(this.#place.removeKeyMark(this.id));
    if (proof.replace) await this.#tolerate(records.remove(proof.replace.etag));
    return { outcome, etag };
  }

  async #link(etag: string): Promise<CommitAnswer['outcome']> {
    const { disk, folders } = this.#place.surroundings;
    for (let tries = 1; ; tries += 1) {
      try {
        await disk.link(this.#staged, this.#path.file);
        return 'committed';
      } catch (error) {
        const errno = errnoOf(error);
        // Over NFS, and after an earlier call, the link that is in the way can be ours.
        if (errno === 'EEXIST') return (await this.#isAt(etag)) ? 'committed' : 'exists';
        if (await this.#isGone(error)) return 'gone';
        if (errno !== 'ENOENT' || tries === FOLDER_TRIES) throw error;
        await folders.make(this.#path.folders);
      }
    }
  }

  async #replace(etag: string, old: string): Promise<CommitAnswer['outcome']> {
    const { claims } = this.#place;
    const { disk } = this.#place.surroundings;
    if (await this.#isAt(etag)) return 'committed';
    if (!(await this.#isStaged())) return 'gone';
    if (!(await this.#isAt(old))) return 'exists';
    if (!(await claims.take(old, this.id))) return 'conflict';
    if (!(await this.#isAt(old))) {
      await this.#tolerate(claims.drop(old, this.id));
      return 'exists';
    }
    try {
      await disk.rename(this.#staged, this.#path.file);
    } catch (error) {
      if (await this.#isGone(error)) return 'gone';
      throw error;
    }
    await this.#tolerate(claims.drop(old, this.id));
    return 'committed';
  }

  /** Whether the call failed because somebody aborted the upload. */
  async #isGone(error: unknown): Promise<boolean> {
    return ABORTED.includes(errnoOf(error) ?? '') && !(await this.#isStaged());
  }

  /** After an abort nothing has the name, or a folder that keeps it taken. */
  async #isStaged(): Promise<boolean> {
    const status = await this.#place.surroundings.folders.statusOf(this.#staged);
    return status?.kind === 'file';
  }

  async #isAt(etag: string): Promise<boolean> {
    const status = await this.#place.surroundings.folders.statusOf(this.#path.file);
    return status?.kind === 'file' && etagOf(status) === etag;
  }

  /** One call after the other, in the order of asking: a file is not closed under a commit that is under way. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** A failure while bytes are written or synced is final: what the disk has of them is not known. */
  async #orDie<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isPluginError(error) || error.type === 'provider_down') await this.#giveUp();
      throw asPluginError(error, this.#place.root);
    }
  }

  async #giveUp(): Promise<void> {
    const { file } = this.#state as { readonly file?: DiskFile };
    this.#die();
    if (file) await this.#tolerate(file.close());
    await this.#remove(this.#staged);
    await this.#tolerate(this.#place.removeKeyMark(this.id));
  }

  #die(): void {
    this.#state = { name: 'dead' };
    this.#gathered = [];
  }

  async #remove(path: string): Promise<void> {
    await this.#tolerate(unless(['ENOENT'], this.#place.surroundings.disk.unlink(path)));
  }

  /** What is only tidying up: the sweeper will come by again. */
  async #tolerate(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      const { logger } = this.#place.surroundings;
      logger.warn({ key: this.#path.key, upload: this.id, error }, 'staged file was not tidied up');
    }
  }

  #gone(): PluginError {
    return new PluginError('not_found', `upload '${this.id}' of '${this.#path.key}' was aborted`, {
      code: 'UPLOAD_GONE',
    });
  }

  #mismatch(found: string): PluginError {
    return new PluginError(
      'integrity',
      `'${this.#path.key}' is not what the proof says: ${found}; nothing was made visible, deliver it again`,
      { code: 'PROOF_MISMATCH' },
    );
  }
}
