import { malformed } from '../bad-reply.ts';
import { nullTokenAt } from '../null-token.ts';
import type { RowSink } from '../row-sink.ts';
import type { Tally } from '../tally.ts';
import { cellText } from './data-rows.ts';
import type { FrameRow } from './frame-row.ts';
import type { RowLayout } from './row-layout.ts';

/**
 * gethistory in its default form: a block for each security and field, opened by `START SECURITY|security|field|`, closed
 * by the same with `END` and perhaps a return code, with a row `security|date|value|` for each day.
 */
export class VerticalHistory implements RowLayout {
  readonly name = 'vertical history';
  readonly #tally: Tally;
  readonly #sink: RowSink | undefined;
  #open: { readonly security: Buffer; readonly field: string; readonly line: number } | undefined;
  #blocks = 0;

  constructor(sink: RowSink | undefined, tally: Tally) {
    this.#sink = sink;
    this.#tally = tally;
    sink?.columns(['SECURITY', 'RC', 'FIELD', 'DATE', 'VALUE']);
  }

  row(row: FrameRow): void {
    row.expectClosed();
    if (row.startsWith(START)) this.#start(row);
    else if (row.startsWith(END)) this.#end(row);
    else this.#value(row);
  }

  end(line: number): void {
    if (this.#open !== undefined)
      throw malformed(line, undefined, `the block that began in row ${this.#open.line} has no end`);
  }

  /** Whether Bloomberg counts the lines around the values is not public. */
  records(): readonly number[] {
    return [this.#tally.rows, this.#tally.rows + 2 * this.#blocks];
  }

  #start(row: FrameRow): void {
    if (this.#open !== undefined)
      throw malformed(row.line, 1, 'a block begins before the one before it has ended');
    if (row.cells < 3 || row.cells > 4) throw malformed(row.line, row.cells, BAD_HEAD);
    this.#open = {
      security: Buffer.from(row.bytes.subarray(row.startOf(1), row.endOf(1))),
      field: row.text(2),
      line: row.line,
    };
  }

  #end(row: FrameRow): void {
    const open = this.#open;
    if (open === undefined) throw malformed(row.line, 1, 'a block ends that has not begun');
    if (row.cells < 3 || row.cells > 4) throw malformed(row.line, row.cells, BAD_HEAD);
    if (!isSecurity(row, 1, open.security) || row.text(2) !== open.field)
      throw malformed(row.line, 2, `another block ends than began in row ${open.line}`);
    const code = row.cells === 4 ? row.integer(3, 'the return code') : 0;
    if (code !== 0) {
      this.#tally.outcome(code, row.line);
      this.#sink?.row([row.text(1), row.text(3), open.field, null, null]);
    }
    this.#blocks += 1;
    this.#open = undefined;
  }

  #value(row: FrameRow): void {
    const open = this.#open;
    if (open === undefined) throw malformed(row.line, 1, 'a row stands outside of any block');
    if (row.cells !== 3)
      throw malformed(row.line, row.cells, `it has ${row.cells} cells where 3 are due`);
    if (!isSecurity(row, 0, open.security))
      throw malformed(row.line, 1, `it is of another security than the block of row ${open.line}`);
    this.#tally.code(0, row.line);
    const token = nullTokenAt(row.bytes, row.startOf(2), row.endOf(2));
    if (token >= 0) this.#tally.missing(token, open.field);
    this.#sink?.row([row.text(0), '0', open.field, cellText(row, 1), cellText(row, 2)]);
  }
}

export const START = Buffer.from('START SECURITY');
const END = Buffer.from('END SECURITY');
const BAD_HEAD = 'the line around a block must name security and field';

function isSecurity(row: FrameRow, cell: number, security: Buffer): boolean {
  const start = row.startOf(cell);
  if (row.endOf(cell) - start !== security.length) return false;
  for (let i = 0; i < security.length; i += 1)
    if (row.bytes[start + i] !== security[i]) return false;
  return true;
}
