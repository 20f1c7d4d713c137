import { ByteKeys } from './byte-keys.ts';
import type { CsvRecords } from './csv-records.ts';

/** The currencies of a report. There should be one. */
export class Currencies {
  readonly #seen = new ByteKeys(16, (currency) => currency);

  /** @param place of the currency column; -1 when there is none */
  see(record: CsvRecords, place: number): void {
    if (place !== -1)
      this.#seen.get(record.bytes, record.starts[place] ?? 0, record.ends[place] ?? 0);
  }

  facts(): { readonly currency?: string } {
    const [first, ...others] = this.#names();
    return first !== undefined && others.length === 0 && /^[A-Z]{3}$/.test(first)
      ? { currency: first }
      : {};
  }

  warnings(): string[] {
    const names = this.#names();
    return names.length < 2
      ? []
      : [`there are amounts in ${names.length} currencies; they were added up as if it were one`];
  }

  #names(): readonly string[] {
    return [...this.#seen.entries()].map(([name]) => name);
  }
}
