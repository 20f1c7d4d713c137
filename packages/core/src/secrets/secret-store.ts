import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';
import { TooLarge } from '../manifest/read-bounded.ts';
import { takeFileLock } from '../state/file-lock.ts';
import { stateError } from '../state/state-error.ts';
import { newIdentity, recipientOf, sealFor, unseal } from './age-file.ts';
import { systemDisk, type Disk } from './disk.ts';
import { keyFileText, type MasterKey } from './master-key.ts';
import { noteOf, readNote, whyRolledBack, writeNote, type RevisionNote } from './revision-note.ts';
import { rewriteFile, writeNewFile } from './rewrite-file.ts';
import type { SecretEntry } from './secret-entry.ts';
import { previousOf, type SecretPlace } from './secret-place.ts';
import {
  noStore,
  rolledBack,
  storeBusy,
  storeDamaged,
  storeExists,
  whyNotOpened,
} from './store-error.ts';
import { documentText, emptyDocument, readDocument, type StoreDocument } from './store-document.ts';

export interface SecretStoreOptions {
  readonly place: SecretPlace;
  /** The master key; asked for each time that the store is read or changed. */
  readonly key: () => Promise<MasterKey>;
  /** Default: that of this machine. */
  readonly disk?: Disk;
  /** Keeps other writers away; default a lock file beside the store. `undefined` when somebody else has it. */
  readonly lock?: (storeFile: string) => Promise<AsyncDisposable | undefined>;
}

/** A change of all secrets at once: from those that are there to those that shall be. */
export type Edit = (entries: readonly SecretEntry[]) => readonly SecretEntry[];

interface Opened {
  readonly document: StoreDocument;
  readonly key: MasterKey;
  readonly note: RevisionNote;
  /** Recipients that it is sealed for, as far as its codes tell. */
  readonly sealedFor: readonly string[];
}

/** Files are read up to this size: thousands of secrets. */
const MAX_STORE_BYTES = 16 * 1024 * 1024;

/**
 * The secrets of a host: one file of the age format. Reading proves that it was written by whoever has the master key, and
 * that it is not older than what was here before. A change takes the place of the file in one step.
 *
 * All methods throw OctoError: `OCTO_SECRETS_NOT_FOUND`, `OCTO_SECRETS_SEALED`, `OCTO_SECRETS_KEY_INVALID`,
 * `OCTO_SECRETS_OTHER_KEY`, `OCTO_SECRETS_DAMAGED`, `OCTO_SECRETS_NEWER`, `OCTO_SECRETS_ROLLED_BACK`; those that change it
 * also `OCTO_SECRETS_BUSY` and `OCTO_STATE_*`.
 */
export class SecretStore {
  readonly place: SecretPlace;
  /** The master key, as the options have it. */
  readonly key: () => Promise<MasterKey>;
  readonly #disk: Disk;
  readonly #lock: NonNullable<SecretStoreOptions['lock']>;

  constructor({ place, key, disk = systemDisk, lock = lockBeside }: SecretStoreOptions) {
    this.place = place;
    this.key = key;
    this.#disk = disk;
    this.#lock = lock;
  }

  async read(): Promise<StoreDocument> {
    try {
      return await this.#read();
    } catch (error) {
      // Store and key may change their places between the looks at the one and at the other.
      if (error instanceof OctoError && error.code === 'OCTO_SECRETS_OTHER_KEY')
        return await this.#read();
      throw error;
    }
  }

  /** @throws OctoError `OCTO_SECRETS_EXISTS` when there is a store already */
  async refuseIfThere(): Promise<void> {
    if ((await this.#sealed()) !== undefined) throw storeExists(this.place.storeFile);
  }

  /** A store without secrets. @param key one that was just made @throws OctoError as {@link refuseIfThere} */
  async create(key?: MasterKey): Promise<void> {
    await this.#locked(async () => {
      await this.refuseIfThere();
      await this.#write(emptyDocument(), [key ?? (await this.key())], { keepsPrevious: false });
    });
  }

  /** Resolves when the change outlasts a loss of power. What `edit` throws leaves all as it was. */
  async change(edit: Edit): Promise<StoreDocument> {
    return await this.#locked(async () => {
      const { document, key } = await this.#openNoted();
      const next = changed(document, edit(document.entries));
      await this.#write(next, [key]);
      return next;
    });
  }

  /**
   * Takes the file that lies there although it is older than what was noted, or another: for who restored a backup. Its
   * revision becomes higher than any that was seen.
   */
  async accept(): Promise<{ readonly store: string; readonly revision: number }> {
    return await this.#locked(async () => {
      const noted = await readNote(this.#disk, this.place.noteFile);
      const { document, key } = await this.#open(undefined);
      const seen = noted === undefined || noted === 'unreadable' ? 0 : noted.revision;
      const revision = Math.max(document.revision, seen) + 1;
      await this.#write({ ...document, revision }, [key]);
      return { store: document.store, revision };
    });
  }

  /**
   * Gives the store another master key and puts that into the place of the old one. At every moment the key that lies in
   * `keyFile` opens the store: it is sealed for both while they change places.
   */
  async rotateKey(keyFile: string): Promise<MasterKey> {
    return await this.#locked(async () => {
      const { document, key } = await this.#openNoted();
      const next = await successorOf(key, keyFile);
      const both = changed(document, document.entries);
      await this.#write(both, [key, next]);
      const text = await keyFileText(next, key.passphrase);
      await rewriteFile(this.#disk, keyFile, Buffer.from(text));
      await this.#write(changed(both, both.entries), [next]);
      await this.#forgetPrevious();
      return next;
    });
  }

  /**
   * Makes another master key in a new file and seals the store for both; somebody has to bring it to where the host gets
   * its key. The first change with the new key seals the store for that alone.
   */
  async prepareKey(newFile: string): Promise<MasterKey> {
    return await this.#locked(async () => {
      const { document, key } = await this.#openNoted();
      const next = await successorOf(key, newFile);
      const text = await keyFileText(next, key.passphrase);
      await writeNewFile(this.#disk, newFile, Buffer.from(text));
      await this.#disk.syncFolder(dirname(newFile));
      await this.#write(changed(document, document.entries), [key, next]);
      return next;
    });
  }

  /** Seals the store for the master key alone that is there now. */
  async finishKey(): Promise<MasterKey> {
    return await this.#locked(async () => {
      const { document, key } = await this.#openNoted();
      await this.#write(changed(document, document.entries), [key]);
      await this.#forgetPrevious();
      return key;
    });
  }

  /** Public halves of the keys that it is sealed for; the newest last. */
  async keys(): Promise<readonly string[]> {
    return (await this.#openNoted()).sealedFor;
  }

  async #read(): Promise<StoreDocument> {
    // The note first: a writer writes it last, so it is never ahead of a store that is read after it.
    const noted = await readNote(this.#disk, this.place.noteFile);
    const { document, note } = await this.#open(noted);
    if (noted === undefined || (noted !== 'unreadable' && noted.revision < note.revision))
      await this.#noteIfPossible(note);
    return document;
  }

  async #openNoted(): Promise<Opened> {
    return await this.#open(await readNote(this.#disk, this.place.noteFile));
  }

  async #open(noted: RevisionNote | 'unreadable' | undefined): Promise<Opened> {
    const { storeFile } = this.place;
    const sealed = await this.#sealed();
    if (sealed === undefined) throw noStore(storeFile, noted !== undefined);
    const key = await this.key();
    try {
      const text = Buffer.from(await unseal(key.identity, sealed)).toString();
      const { macs, ...document } = readDocument(text, key);
      const note = noteOf(document, sealed);
      const why = whyRolledBack(noted, note);
      if (why !== undefined) throw rolledBack(storeFile, why);
      return { document, key, note, sealedFor: macs };
    } catch (error) {
      throw whyNotOpened(error, storeFile, key.where);
    }
  }

  async #sealed(): Promise<Uint8Array | undefined> {
    const { storeFile } = this.place;
    try {
      return await this.#disk.read(storeFile, MAX_STORE_BYTES);
    } catch (error) {
      if (error instanceof TooLarge) throw storeDamaged(storeFile, 'it is too large to be one');
      throw stateError(error, dirname(storeFile));
    }
  }

  async #write(
    document: StoreDocument,
    keys: readonly MasterKey[],
    { keepsPrevious = true } = {},
  ): Promise<void> {
    const { storeFile, noteFile } = this.place;
    const text = documentText(document, keys);
    const recipients = keys.map(({ recipient }) => recipient);
    const sealed = await sealFor(recipients, Buffer.from(text));
    const previous = keepsPrevious ? { previous: previousOf(storeFile) } : {};
    await rewriteFile(this.#disk, storeFile, sealed, previous);
    await writeNote(this.#disk, noteFile, noteOf(document, sealed));
  }

  /** What was sealed for the old key would go on being open to whoever has that. */
  async #forgetPrevious(): Promise<void> {
    const { storeFile } = this.place;
    await this.#disk.remove(previousOf(storeFile));
    await this.#disk.syncFolder(dirname(storeFile));
  }

  /** Whoever only reads may have no right to write, or a full disk. What was read is good; the next reader notes it. */
  async #noteIfPossible(note: RevisionNote): Promise<void> {
    try {
      await writeNote(this.#disk, this.place.noteFile, note);
    } catch (error) {
      if (!('code' in (error as object))) throw error;
    }
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const { storeFile } = this.place;
    try {
      await using lock = await this.#lock(storeFile);
      if (lock === undefined) throw storeBusy(storeFile);
      return await work();
    } catch (error) {
      throw stateError(error, dirname(storeFile));
    }
  }
}

async function lockBeside(storeFile: string): Promise<AsyncDisposable | undefined> {
  const folder = dirname(storeFile);
  // What SQLite says of a folder that is missing or closed names neither.
  await access(folder, constants.W_OK).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new OctoError(
      'OCTO_STATE_DENIED',
      `there is no folder ${folder} for the secret store; make it, or name another file`,
    );
  });
  return await takeFileLock(`${storeFile}.lock`);
}

function changed(document: StoreDocument, entries: readonly SecretEntry[]): StoreDocument {
  return { ...document, entries, revision: document.revision + 1 };
}

async function successorOf(key: MasterKey, where: string): Promise<MasterKey> {
  const identity = await newIdentity();
  return { ...key, identity, recipient: await recipientOf(identity), where };
}
