import type { TableRow } from '@octo/plugin-api';

/** Writes a table as a file, piece by piece. Called with the same columns every time. */
export interface TableWriter {
  /** The bytes that are ready once these rows are taken in; empty while they are being collected. */
  write(columns: readonly string[], rows: readonly TableRow[]): Uint8Array;
  /** What is left, and the file's end. */
  finish(columns: readonly string[]): Uint8Array;
}
