/**
 * Files in folders, on a server or on this machine. Paths are slash-separated and opaque; errors are PluginErrors:
 * `not_found` for what is missing, `auth` for what is forbidden.
 */
export interface Folder extends AsyncDisposable {
  /** Everything in the folder but folders, in no order. @throws PluginError `not_found` */
  list(path: string, signal: AbortSignal): AsyncIterable<Entry>;
  /** The regular file at the path; `undefined` when there is none. */
  stat(path: string, signal: AbortSignal): Promise<Version | undefined>;
  /** @throws PluginError `not_found` */
  read(file: Version, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Never replaces: `exists` when something is at the target, `absent` when the source or the target's folder is not. */
  rename(from: string, to: string, signal: AbortSignal): Promise<'moved' | 'exists' | 'absent'>;
  /** Succeeds when nothing is there. */
  remove(path: string, signal: AbortSignal): Promise<void>;
  /** Succeeds when it is there already. */
  makeFolder(path: string, signal: AbortSignal): Promise<void>;
}

/** What is told about one version of a file. */
export interface Version {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Whole milliseconds since the Unix epoch. */
  readonly mtimeMs: number;
}

export interface Entry extends Version {
  readonly name: string;
  /** Why it must not be opened: `UPPER_CASE_CODE: reason`. */
  readonly refused?: string;
}

export function sameVersion(a: Version, b: Version | undefined): boolean {
  return b !== undefined && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** `in/` and `a.csv` → `in/a.csv`; `.` adds nothing; an absolute path stays what it is. */
export function joined(folder: string, path: string): string {
  if (path.startsWith('/')) return path;
  return folder === '.' ? path : `${folder.replace(/\/+$/, '')}/${path}`;
}
