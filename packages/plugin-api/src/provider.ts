import type { Lifecycle } from './lifecycle.ts';

/**
 * A source of files: a vendor's SFTP server, an API, a folder that somebody fills.
 *
 * A provider only finds and reads. Decrypting, decompressing, retrying, uploading, and deciding what was delivered
 * already are the host's work.
 */
export interface Provider extends Lifecycle {
  /**
   * How long size and mtime of a file must stay the same before it counts as complete, in milliseconds. 0 when this
   * provider only lists complete files. A pipeline may ask for longer.
   */
  readonly settleMs: number;
  /**
   * Opens a session. The signal bounds the connecting, not the session's life.
   * @throws PluginError `auth`, `network`, `provider_down`
   */
  connect(signal: AbortSignal): Promise<Session>;
  /**
   * Holds delivered files against each other, such as a report against its summary. Called after a commit with every
   * delivered file that carries the same {@link RemoteFile.group}. Findings are reported; they undo nothing.
   */
  reconcile?(files: readonly DeliveredFile[]): readonly string[];
}

/** An open connection. The host runs several operations at a time on it, and disposes it when the run ends. */
export interface Session extends AsyncDisposable {
  /**
   * Every file that may be delivered, including those that lie in an archive folder where {@link Session.done} put
   * them. Files still being written may be listed. An empty folder is an empty answer, not an error.
   */
  list(signal: AbortSignal): AsyncIterable<RemoteFile>;
  /** The file as it is now at its location; `undefined` when nothing is there. */
  stat(file: RemoteFile, signal: AbortSignal): Promise<RemoteFile | undefined>;
  /**
   * The file's bytes from `offset` on, in order, in chunks of 64–256 KiB where possible. Ends only when the vendor says
   * that the file has ended. Chunks belong to the reader. `break` releases everything.
   * @throws PluginError `not_found` when the file is gone
   */
  read(
    file: RemoteFile,
    options: { readonly offset: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /**
   * A check of this file's plain content, by what the vendor promises about it: rows, totals, trailers. The `verify`
   * step asks for it; `undefined` when the vendor promises nothing about this file.
   */
  inspect?(file: RemoteFile): Inspection | undefined;
  /**
   * Takes this file out of the vendor's own envelope: an encoding or a cipher that only this vendor knows. The `decode` step
   * asks for it; `undefined` when this file has none. Told by content where possible: what is not enveloped passes as it is.
   */
  decode?(file: RemoteFile): Decoding | undefined;
  /**
   * Reads this file's plain content as a table, for a `normalise` step that writes one beside it; `undefined` when this file
   * holds no table. The file itself is delivered in any case.
   */
  normalise?(file: RemoteFile): Tabulation | undefined;
  /**
   * Called once the delivery is durable: move, delete or mark the file. Must do nothing when the file is not the same
   * any more (other size or mtime), and succeed when it was done before.
   */
  done?(file: RemoteFile, deliveryId: string, signal: AbortSignal): Promise<Done | undefined>;
}

/** One version of one file at the vendor. Path, size and mtime together are its identity. */
export interface RemoteFile {
  /** Where the vendor published it. Opaque to the host: never used as a local path. */
  readonly path: string;
  /** Its last segment, as the vendor spells it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the Unix epoch. */
  readonly mtimeMs: number;
  /** Where the bytes lie now, when that is not `path`: a place in the archive folder. */
  readonly location?: string;
  /** Found in the archive, under the name that `done` gives to the file of this delivery. */
  readonly archivedFor?: string;
  /** Known to be complete without waiting: a done-file is there, or the API says so. */
  readonly complete?: boolean;
  /** Files with the same group are held against each other by {@link Provider.reconcile}. */
  readonly group?: string;
  /** Words for the key template, such as the named groups of a file name pattern. */
  readonly fields?: { readonly [name: string]: string };
  /**
   * Why this entry must not be opened, such as an unreadable name or a symbolic link. The host sets it aside with
   * this reason and an alert. Starts with an upper-case code: `UNREADABLE_NAME: …`.
   */
  readonly refused?: string;
}

/** Fed with a file's plain content, from the first byte to the last. */
export interface Inspection {
  /** @throws PluginError `integrity` as soon as the content cannot be right */
  write(chunk: Uint8Array): void;
  /**
   * The content has ended.
   * @throws PluginError `integrity` when it is not complete, or contradicts itself
   */
  finish(): InspectionResult;
}

export interface InspectionResult {
  /** What is worth remembering: row counts, totals. Plain JSON; kept in the ledger, given to `reconcile`. */
  readonly facts: { readonly [name: string]: unknown };
  /** What a person should hear about although the file is delivered. */
  readonly warnings: readonly string[];
}

/**
 * Turns the enveloped bytes into the plain ones, pulled and in constant memory. `break` must release.
 * @throws PluginError from the iteration: `integrity` for a broken envelope, `auth` when a key does not open it
 */
export type Decoding = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** Fed with a file's plain content, from the first byte to the last; hands on its rows as text. */
export interface Tabulation {
  /** Unique names. Known when the first row is handed on, at the latest after `finish`. */
  readonly columns: readonly string[] | undefined;
  /**
   * The rows that ended with this chunk, each with as many cells as there are columns; `null` is no value.
   * @throws PluginError `integrity`
   */
  write(chunk: Uint8Array): readonly TableRow[];
  /** The content has ended: what rows are left. @throws PluginError `integrity` */
  finish(): readonly TableRow[];
}

export type TableRow = readonly (string | null)[];

export interface DeliveredFile {
  readonly path: string;
  readonly name: string;
  readonly facts: { readonly [name: string]: unknown };
}

export interface Done {
  /** Where the file lies now. */
  readonly location?: string;
}
