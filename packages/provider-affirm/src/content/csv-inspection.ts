import type { Inspection, InspectionResult, PluginError } from '@octo/plugin-api';
import { badReport } from './bad-report.ts';
import { CsvRecords } from './csv-records.ts';
import { Header } from './header.ts';

/** What is particular about one kind of report. */
export interface ReportRules {
  /** Called once, before any row. @throws PluginError `integrity` */
  header(header: Header): void;
  /** Whether the row adds up. @throws PluginError `integrity` */
  row(record: CsvRecords): boolean;
  /** Called once, after the last row. */
  finish(): InspectionResult;
}

/**
 * Inspects a report as it streams by. Cut or malformed content is refused: bytes are missing or wrong. Rows whose
 * amounts do not add up are reported: the bytes are what the vendor wrote, and people will want to see them.
 */
export class CsvInspection implements Inspection {
  readonly #rules: ReportRules;
  readonly #records = new CsvRecords(() => this.#record());
  readonly #wrong: number[] = [];
  #header: Header | undefined;
  #rows = 0;
  #wrongRows = 0;

  constructor(rules: ReportRules) {
    this.#rules = rules;
  }

  write(chunk: Uint8Array): void {
    this.#records.write(chunk);
  }

  finish(): InspectionResult {
    this.#records.finish();
    if (this.#header === undefined)
      throw badReport('EMPTY_FILE', 'the file is empty: a report without activity has a header');
    const { facts, warnings } = this.#rules.finish();
    return {
      facts: { ...facts, rows: this.#rows, rowsNotAddingUp: this.#wrongRows },
      warnings: [...this.#ownWarnings(), ...warnings],
    };
  }

  #record(): void {
    if (this.#header === undefined) {
      this.#header = new Header(this.#records);
      this.#rules.header(this.#header);
      return;
    }
    this.#checkWidth(this.#header.width);
    this.#rows += 1;
    if (!this.#rules.row(this.#records)) this.#doesNotAddUp();
  }

  #checkWidth(width: number): void {
    const { fields, row, terminated } = this.#records;
    if (fields === width) return;
    if (!terminated) throw truncated(row, `it has ${fields} of ${width} fields`);
    throw badReport('MALFORMED_ROW', `row ${row} has ${fields} fields, the header ${width}`);
  }

  #doesNotAddUp(): void {
    const { row, terminated } = this.#records;
    if (!terminated) throw truncated(row, 'its amounts do not add up');
    this.#wrongRows += 1;
    if (this.#wrong.length < NAMED_ROWS) this.#wrong.push(row);
  }

  #ownWarnings(): string[] {
    const warnings = [];
    if (this.#wrongRows > 0)
      warnings.push(
        `the amounts of ${counted(this.#wrongRows, 'row')} do not add up to total_settled: ` +
          `row ${this.#wrong.join(', ')}${this.#wrongRows > NAMED_ROWS ? ' …' : ''}`,
      );
    if (!this.#records.terminated)
      warnings.push('the last row has no line end; it is whole as far as can be told');
    return warnings;
  }
}

const NAMED_ROWS = 5;

function truncated(row: number, how: string): PluginError {
  return badReport(
    'TRUNCATED',
    `row ${row}, the last one, has no line end and ${how}: the file was cut off`,
  );
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
