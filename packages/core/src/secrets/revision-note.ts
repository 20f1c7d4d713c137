import { createHash } from 'node:crypto';
import type { Disk } from './disk.ts';
import { rewriteFile } from './rewrite-file.ts';
import type { StoreDocument } from './store-document.ts';

/** How far a store had come when this state folder saw it last. Kept outside of the store, to tell an older one. */
export interface RevisionNote {
  readonly store: string;
  readonly revision: number;
  /** Of the sealed file, hex. */
  readonly sha256: string;
}

/** The note of a store as it is read or written. */
export function noteOf({ store, revision }: StoreDocument, sealed: Uint8Array): RevisionNote {
  return { store, revision, sha256: createHash('sha256').update(sealed).digest('hex') };
}

const MAX_NOTE_BYTES = 4096;

/** @returns `undefined` when there is none, `'unreadable'` when it says nothing */
export async function readNote(
  disk: Disk,
  file: string,
): Promise<RevisionNote | 'unreadable' | undefined> {
  const bytes = await disk.read(file, MAX_NOTE_BYTES);
  if (bytes === undefined) return undefined;
  try {
    const { store, revision, sha256 } = JSON.parse(Buffer.from(bytes).toString()) as RevisionNote;
    const good = typeof store === 'string' && Number.isSafeInteger(revision);
    return good && /^[0-9a-f]{64}$/.test(sha256) ? { store, revision, sha256 } : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** Readers note, too, and take no lock: so each process has a draft of its own. */
export async function writeNote(disk: Disk, file: string, note: RevisionNote): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
  await rewriteFile(disk, file, bytes, { draft: `${file}.${process.pid}` });
}

/**
 * Why a store must not be taken after what was noted, in words; `undefined` when it may. A higher revision may: nobody
 * without the master key makes one, and after a crash between the store and its note it is higher by one.
 */
export function whyRolledBack(
  noted: RevisionNote | 'unreadable' | undefined,
  found: RevisionNote,
): string | undefined {
  if (noted === undefined) return undefined;
  if (noted === 'unreadable') return 'the note of its last revision cannot be read';
  if (noted.store !== found.store) return 'it is another store than the one that was here';
  if (found.revision < noted.revision)
    return `its revision is ${found.revision}, and ${noted.revision} was here already`;
  if (found.revision === noted.revision && found.sha256 !== noted.sha256)
    return `its revision ${found.revision} was here already, with other contents`;
  return undefined;
}
