import { bulkSeparators } from '../bulk-cell.ts';
import { malformed } from '../bad-reply.ts';
import { NULL_TOKENS, nullTokenAt } from '../null-token.ts';
import { uniqueNames, type RowSink } from '../row-sink.ts';
import type { Tally } from '../tally.ts';
import type { FrameRow } from './frame-row.ts';
import type { RowLayout } from './row-layout.ts';

export interface DataRowsOptions {
  readonly fields: readonly string[];
  /** Horizontal history has the date between the number of fields and the values. */
  readonly dated: boolean;
  /** A row of a bulk list has as many values as it says itself. */
  readonly anyWidth: boolean;
  readonly sink: RowSink | undefined;
}

/** `security|return code|number of fields|value|…|`, the rows of getdata and of gethistory in its horizontal form. */
export class DataRows implements RowLayout {
  readonly name: string;
  readonly #options: DataRowsOptions;
  readonly #tally: Tally;
  /** Cells before the first value. */
  readonly #head: number;

  constructor(options: DataRowsOptions, tally: Tally) {
    this.name = options.dated ? 'horizontal history' : 'data';
    this.#options = options;
    this.#tally = tally;
    this.#head = options.dated ? 4 : 3;
    const names = options.anyWidth ? ['VALUES'] : options.fields;
    const leading = options.dated ? ['SECURITY', 'RC', 'DATE'] : ['SECURITY', 'RC'];
    options.sink?.columns(uniqueNames([...leading, ...names]));
  }

  row(row: FrameRow): void {
    row.expectClosed();
    if (row.cells < 3) throw malformed(row.line, row.cells + 1, 'the number of fields is missing');
    const code = row.integer(1, 'the return code');
    this.#checkWidth(row, code);
    this.#tally.code(code, row.line);
    if (code === 0) this.#countMissing(row);
    if (this.#options.sink !== undefined) this.#handOn(row, this.#options.sink);
  }

  end(): void {}

  records(): readonly number[] {
    return [this.#tally.rows];
  }

  #checkWidth(row: FrameRow, code: number): void {
    const width = row.integer(2, 'the number of fields');
    const { anyWidth, fields } = this.#options;
    const without = code !== 0 && width === 0 && row.cells >= 3 && row.cells <= this.#head;
    if (without) return;
    if (row.cells !== this.#head + width)
      throw malformed(
        row.line,
        3,
        `it announces ${width} fields and has ${row.cells - this.#head}`,
      );
    if (!anyWidth && width !== fields.length)
      throw malformed(row.line, 3, `it has ${width} fields, and ${fields.length} were requested`);
  }

  #countMissing(row: FrameRow): void {
    const { bytes, places } = row;
    const last = row.first + row.cells;
    let start = row.startOf(this.#head);
    for (let place = row.first + this.#head; place < last; place += 1) {
      const end = places[place] as number;
      if (end === start) this.#tally.nulls[EMPTY] = (this.#tally.nulls[EMPTY] as number) + 1;
      else if (TELLING[bytes[start] as number] === 1) this.#look(row, place, start, end);
      start = end + 1;
    }
  }

  /** At a cell that begins like a word for no value, or like a bulk cell. */
  #look({ bytes, first, line }: FrameRow, place: number, start: number, end: number): void {
    const token = nullTokenAt(bytes, start, end);
    if (token >= 0) this.#tally.missing(token, this.#options.fields[place - first - this.#head]);
    else if (bytes[start] === SEMICOLON && bulkSeparators(bytes, start, end) === undefined)
      this.#tally.badBulkCell(line);
  }

  #handOn(row: FrameRow, sink: RowSink): void {
    const { anyWidth, dated, fields } = this.#options;
    const leading = [row.text(0), row.text(1), ...(dated ? [cellText(row, 3)] : [])];
    if (anyWidth) {
      const values = Array.from({ length: row.cells - 3 }, (_, i) => cellText(row, 3 + i));
      sink.row([...leading, JSON.stringify(values)]);
      return;
    }
    const width = fields.length;
    sink.row([
      ...leading,
      ...Array.from({ length: width }, (_, i) => cellText(row, this.#head + i)),
    ]);
  }
}

/** The cell as text; `null` for empty, blank, and a cell that the row does not have. */
export function cellText(row: FrameRow, cell: number): string | null {
  if (cell >= row.cells) return null;
  const text = row.text(cell);
  return text === '' || text === ' ' ? null : text;
}

const SEMICOLON = 0x3b;
const EMPTY = NULL_TOKENS.indexOf('empty');
/** 1 for the first bytes of cells that deserve a closer look. */
const TELLING = new Uint8Array(256);
for (const text of [...NULL_TOKENS.slice(2), ' ', ';']) TELLING[text.charCodeAt(0)] = 1;
