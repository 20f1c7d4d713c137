import { PluginError } from '@octo/plugin-api';
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
        throw new PluginError('integrity', `the header names column ${index + 1} a second time`, {
          code: 'DUPLICATE_COLUMN',
        });
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
    throw new PluginError(
      'integrity',
      `the header has no column ${wanted}; this is not a settlement report, or its layout has changed`,
      { code: 'MISSING_COLUMN' },
    );
  }
}
