import type { SettlementDay, SettlementFile } from './settlement-day.ts';
import { DETAILS_HEADER, detailsLine, SUMMARY_HEADER, summaryLine } from './settlement-csv.ts';

/**
 * The details file as the vendor issues it again after a correction: same name, one capture larger by `cents`, every
 * row still adding up. Its summary would have to be issued again, too. Throws a RangeError for a day without captures.
 */
export function reissuedDetails(day: SettlementDay, cents = 1_000): SettlementFile {
  const corrected = day.rows.findIndex((row) => row.sales > 0);
  if (corrected === -1) throw new RangeError(`${day.details.name} has no capture to correct`);
  const rows = day.rows.map((row, index) =>
    index === corrected
      ? { ...row, sales: row.sales + cents, totalSettled: row.totalSettled + cents }
      : row,
  );
  return rewritten(day.details, DETAILS_HEADER, rows.map(detailsLine));
}

/** The summary with its first deposit one cent too high. Throws a RangeError for a day without deposits. */
export function summaryOneCentOff(day: SettlementDay): SettlementFile {
  if (day.deposits.length === 0) throw new RangeError(`${day.summary.name} has no deposit`);
  const deposits = day.deposits.map((deposit, index) =>
    index === 0 ? { ...deposit, totalSettled: deposit.totalSettled + 1 } : deposit,
  );
  return rewritten(day.summary, SUMMARY_HEADER, deposits.map(summaryLine));
}

function rewritten(file: SettlementFile, header: string, body: readonly string[]): SettlementFile {
  const lineEnd = file.text.includes('\r\n') ? '\r\n' : '\n';
  return { name: file.name, text: [header, ...body].map((line) => line + lineEnd).join('') };
}
