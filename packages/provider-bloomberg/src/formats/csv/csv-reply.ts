import type { InspectionResult } from '@octo/plugin-api';
import { badReply, malformed } from '../bad-reply.ts';
import type { ReplyParser } from '../reply-parser.ts';
import { integerIn } from '../integer-in.ts';
import type { RowSink } from '../row-sink.ts';
import { Tally } from '../tally.ts';
import { CsvRecords } from './csv-records.ts';

/**
 * A response as CSV: a header with the columns `DL_…`, and rows of as many fields. The format has no trailer; whether it is
 * whole is proved by its digest, and here as far as the last row tells.
 */
export class CsvReply implements ReplyParser {
  readonly #records = new CsvRecords(() => this.#record());
  readonly #tally = new Tally();
  readonly #sink: RowSink | undefined;
  #columns: readonly string[] = [];
  #codeColumn = -1;
  #started: string | undefined;

  constructor(sink?: RowSink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    this.#records.write(chunk);
  }

  finish(): InspectionResult {
    this.#records.finish();
    if (this.#columns.length === 0) throw badReply('TRUNCATED', 'the reply has no whole header');
    return {
      facts: {
        form: 'csv',
        ...this.#tally.facts(),
        fields: this.#columns.slice(this.#codeColumn + 1).filter((name) => !name.startsWith('DL_')),
        ...(this.#started === undefined ? {} : { timeStarted: this.#started }),
      },
      warnings: [
        ...this.#tally.warnings(),
        ...(this.#records.terminated ? [] : ['the last row has no line end']),
      ],
    };
  }

  #record(): void {
    if (this.#columns.length === 0) this.#header();
    else this.#row();
  }

  #header(): void {
    const records = this.#records;
    if (!records.terminated) throw badReply('TRUNCATED', 'the reply ends inside its header');
    const names = Array.from({ length: records.fields }, (_, index) => records.text(index));
    const bad = names.findIndex((name, index) => name === '' || names.indexOf(name) !== index);
    if (bad >= 0) throw malformed(records.row, bad + 1, 'a column has no name, or is there twice');
    if (names.length < 2)
      throw malformed(records.row, 1, 'there is one column; the delimiter should be a comma');
    this.#columns = names;
    this.#codeColumn = names.indexOf('RC');
    this.#sink?.columns(names);
  }

  #row(): void {
    const { fields, row, terminated } = this.#records;
    if (fields !== this.#columns.length) {
      const what = `it has ${fields} fields, and the header ${this.#columns.length}`;
      if (!terminated) throw badReply('TRUNCATED', `row ${row}, the last one: ${what}`);
      throw malformed(row, fields + 1, what);
    }
    const code = this.#code();
    this.#tally.code(code, row);
    this.#started ??= this.#snapshotStart();
    if (code === 0) this.#countEmpty();
    this.#sink?.row(this.#cells());
  }

  #code(): number {
    const { bytes, starts, ends, row } = this.#records;
    const column = this.#codeColumn;
    if (column < 0) return 0;
    const code = integerIn(bytes, starts[column] as number, ends[column] as number);
    if (Number.isNaN(code)) throw malformed(row, column + 1, 'the return code is no whole number');
    return code;
  }

  #snapshotStart(): string {
    const column = this.#columns.indexOf('DL_SNAPSHOT_START_TIME');
    return column < 0 ? '' : this.#records.text(column).slice(0, 40);
  }

  #countEmpty(): void {
    const { starts, ends, fields } = this.#records;
    for (let field = this.#codeColumn + 1; field < fields; field += 1)
      if (starts[field] === ends[field]) this.#tally.missing(0, undefined);
  }

  #cells(): (string | null)[] {
    return this.#columns.map((_, index) => this.#records.text(index) || null);
  }
}
