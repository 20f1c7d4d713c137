import { badReport } from './bad-report.ts';
import { parseCents } from './cents.ts';
import type { CsvRecords } from './csv-records.ts';

/** The amount in one field of a record, in cents. @throws PluginError `integrity` `BAD_AMOUNT` */
export function amount(record: CsvRecords, place: number, column: string): number {
  const cents = parseCents(
    record.bytes,
    record.starts[place] as number,
    record.ends[place] as number,
  );
  if (cents !== undefined) return cents;
  throw badReport(
    'BAD_AMOUNT',
    `row ${record.row}: ${column} is not an amount such as -55.73 (no thousands separators, no signs of currency)`,
  );
}
