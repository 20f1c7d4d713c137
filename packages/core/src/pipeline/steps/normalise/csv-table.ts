import type { TableRow } from '@octo/plugin-api';
import type { TableWriter } from './table-writer.ts';

/** CSV as RFC 4180 has it, in UTF-8 with a header and LF. No value is nothing, an empty text is `""`. */
export class CsvTable implements TableWriter {
  #hasHeader = false;

  write(columns: readonly string[], rows: readonly TableRow[]): Uint8Array {
    return Buffer.from(`${this.#header(columns)}${rows.map(line).join('')}`);
  }

  finish(columns: readonly string[]): Uint8Array {
    return Buffer.from(this.#header(columns));
  }

  #header(columns: readonly string[]): string {
    if (this.#hasHeader || columns.length === 0) return '';
    this.#hasHeader = true;
    return line(columns);
  }
}

function line(cells: TableRow): string {
  return `${cells.map(quoted).join(',')}\n`;
}

function quoted(cell: string | null): string {
  if (cell === null) return '';
  return cell === '' || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
