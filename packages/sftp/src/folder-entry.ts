/** What a server tells about a file, in our terms. The type comes from the mode bits, never from the `ls -l` line. */
import type { FileEntryWithStats, Stats } from 'ssh2';
import { refusalOfName } from './entry-name.ts';

export type EntryKind = 'file' | 'folder' | 'symlink' | 'other';

export interface SftpStat {
  /** Bytes; undefined when the server does not say. */
  readonly size: number | undefined;
  /** Milliseconds since the epoch, in whole seconds; 0 when the server does not say. */
  readonly mtimeMs: number;
  readonly kind: EntryKind;
}

export interface FolderEntry extends SftpStat {
  /** As the server spells it. */
  readonly name: string;
  /** Folder and name: what to give to `read`, `stat` and the others. */
  readonly path: string;
  readonly size: number;
  /**
   * Why this entry must not be opened, beginning with `UNREADABLE_NAME:`, `UNSAFE_NAME:`, `NOT_A_FILE:` or `NO_SIZE:`.
   * Folders are not refused: they are what they are.
   */
  readonly refused?: string;
}

export function statOf({ size, mode, mtime }: Partial<Stats>): SftpStat {
  return { size, mtimeMs: (mtime ?? 0) * 1000, kind: kindOf(mode) };
}

export function folderEntry(folder: string, { filename, attrs }: FileEntryWithStats): FolderEntry {
  const stat = statOf(attrs);
  const refused = refusalOfName(filename) ?? refusalOfStat(stat);
  const path = folder === '' ? filename : `${folder.replace(/\/$/, '')}/${filename}`;
  return {
    ...stat,
    name: filename,
    path,
    size: stat.size ?? 0,
    ...(refused === undefined ? {} : { refused }),
  };
}

function refusalOfStat({ kind, size }: SftpStat): string | undefined {
  if (kind === 'symlink') return 'NOT_A_FILE: it is a symbolic link, and those are not followed';
  if (kind === 'other') return 'NOT_A_FILE: it is neither a file nor a folder';
  if (kind === 'file' && size === undefined) return 'NO_SIZE: the server does not tell its size';
  return undefined;
}

function kindOf(mode: number | undefined): EntryKind {
  return KINDS[(mode ?? 0) & TYPE_BITS] ?? 'other';
}

const TYPE_BITS = 0o170000;
const KINDS: { readonly [type: number]: EntryKind } = {
  0o100000: 'file',
  0o040000: 'folder',
  0o120000: 'symlink',
};
