import { DETAILS_HEADER, detailsLine, SUMMARY_HEADER, summaryLine } from './settlement-csv.ts';
import type { SettlementDay, SettlementFile } from './settlement-day.ts';

/**
 * The day as the vendor issues it again after a correction: same names, one capture larger by `cents`, details and
 * summary agreeing as before. Throws a RangeError for a day without captures.
 */
export function correctedDay(day: SettlementDay, cents = 1_000): SettlementDay {
  const captured = day.rows.find((row) => row.sales > 0);
  if (captured === undefined) throw new RangeError(`${day.details.name} has no capture to correct`);
  const larger = <T extends { readonly sales: number; readonly totalSettled: number }>(it: T) => ({
    ...it,
    sales: it.sales + cents,
    totalSettled: it.totalSettled + cents,
  });
  const rows = day.rows.map((row) => (row === captured ? larger(row) : row));
  const deposits = day.deposits.map((deposit) =>
    deposit.depositId === captured.depositId ? larger(deposit) : deposit,
  );
  return {
    rows,
    deposits,
    details: rewritten(day.details, DETAILS_HEADER, rows.map(detailsLine)),
    summary: rewritten(day.summary, SUMMARY_HEADER, deposits.map(summaryLine)),
  };
}

/** The details of {@link correctedDay} alone; they differ from the day's summary. */
export function reissuedDetails(day: SettlementDay, cents = 1_000): SettlementFile {
  return correctedDay(day, cents).details;
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
