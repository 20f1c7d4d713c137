import { badReport } from './bad-report.ts';
import type { CsvRecords } from './csv-records.ts';

/** Where the columns of a file are, by name: vendors leave columns out and add new ones. */
export class Header {
  readonly width: number;
  readonly #places = new Map<string, number>();

  /** @throws PluginError `integrity` `DUPLICATE_COLUMN` */
  constructor(record: CsvRecords) {
    this.width = record.fields;
    for (let index = 0; index < record.fields; index += 1) {
      const name = record.text(index).trim().toLowerCase();
      if (this.#places.has(name))
        throw badReport('DUPLICATE_COLUMN', `the header names column ${index + 1} a second time`);
      this.#places.set(name, index);
    }
  }

  /** The place of the first of these names that is there, from 0; -1 when none is. */
  place(...names: readonly string[]): number {
    return this.#places.get(names.find((name) => this.#places.has(name)) ?? '') ?? -1;
  }

  /** @throws PluginError `integrity` `MISSING_COLUMN` */
  required(...names: readonly string[]): number {
    const place = this.place(...names);
    if (place !== -1) return place;
    const wanted = names.map((name) => `'${name}'`).join(' or ');
    throw badReport(
      'MISSING_COLUMN',
      `the header has no column ${wanted}: this is no settlement report, or its layout has changed`,
    );
  }
}
