import { describe, expect, test } from 'vitest';
import {
  correctedDay,
  reissuedDetails,
  summaryOneCentOff,
} from '../../src/settlements/altered-settlements.ts';
import { coveredDays, settlementDates } from '../../src/settlements/calendar-days.ts';
import { settlementDay } from '../../src/settlements/settlement-day.ts';

const northwind = { merchant: 'northwind', date: '2026-01-15', seed: 7 };

describe('a settlement day', () => {
  test('is the same bytes for the same seed, and others for another', () => {
    expect(settlementDay(northwind)).toEqual(settlementDay(northwind));
    expect(settlementDay({ ...northwind, seed: 8 }).details.text).not.toBe(
      settlementDay(northwind).details.text,
    );
  });

  test('is named for the merchant and the days it covers', () => {
    const { details, summary } = settlementDay(northwind);
    expect(details.name).toBe('northwind_2026-01-14_2026-01-14_details.csv');
    expect(summary.name).toBe('northwind_2026-01-14_2026-01-14_summary.csv');
  });

  test('has rows that add up, and a summary that agrees with them to the cent', () => {
    const { rows, deposits, summary } = settlementDay({ ...northwind, orders: 500, deposits: 2 });
    for (const row of rows)
      expect(row.sales + row.refunds + row.fees + row.txnFees).toBe(row.totalSettled);
    expect(deposits).toHaveLength(2);
    for (const deposit of deposits) {
      const own = rows.filter((row) => row.depositId === deposit.depositId);
      expect(own.reduce((sum, row) => sum + row.totalSettled, 0)).toBe(deposit.totalSettled);
      expect(deposit.sales + deposit.refunds + deposit.fees).toBe(deposit.totalSettled);
      expect(summary.text).toContain(`${deposit.depositId},${(deposit.sales / 100).toFixed(2)},`);
    }
  });

  test('knows refunds, disputes, and order numbers with commas and quotes', () => {
    const { details } = settlementDay({ ...northwind, orders: 2_000 });
    for (const type of ['loan_captured', 'loan_refunded', 'dispute_opened', 'dispute_resolved'])
      expect(details.text).toContain(`,${type},`);
    expect(details.text).toMatch(/,"SO-\d+, split",/);
    expect(details.text).toMatch(/,"SO-\d+ 27"" frame",/);
  });

  test('on a Monday covers the three days since Friday', () => {
    const { details, rows } = settlementDay({ ...northwind, date: '2026-01-19' });
    expect(details.name).toBe('northwind_2026-01-16_2026-01-18_details.csv');
    const captured = rows.filter((row) => row.eventType === 'loan_captured');
    expect(new Set(captured.map((row) => row.chargeCreatedDate))).toEqual(
      new Set(['2026-01-16', '2026-01-17', '2026-01-18']),
    );
  });

  test('without activity is nothing but the headers', () => {
    const { details, summary } = settlementDay({ ...northwind, orders: 0 });
    expect(details.text.split('\n')).toEqual([expect.stringContaining('total_settled'), '']);
    expect(summary.text.split('\n')).toEqual([expect.stringContaining('deposit_id'), '']);
  });

  test('can end its lines as Windows does', () => {
    const { details } = settlementDay({ ...northwind, lineEnd: '\r\n' });
    expect(details.text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });
});

describe('the calendar', () => {
  test('has no settlement at the weekend', () => {
    expect(settlementDates('2026-01-15', 3)).toEqual(['2026-01-15', '2026-01-16', '2026-01-19']);
    expect(() => coveredDays('2026-01-17')).toThrow(/weekend/);
    expect(() => coveredDays('17.01.2026')).toThrow(/YYYY-MM-DD/);
  });
});

describe('altered files', () => {
  test('a re-issue has the same name and differs in one row, which still adds up', () => {
    const day = settlementDay(northwind);
    const again = reissuedDetails(day);
    expect(again.name).toBe(day.details.name);
    const before = day.details.text.split('\n');
    const changed = again.text.split('\n').filter((line, index) => line !== before[index]);
    expect(changed).toHaveLength(1);
  });

  test('a corrected day has details and a summary that agree again', () => {
    const day = settlementDay({ ...northwind, deposits: 2 });
    const { details, summary, rows, deposits } = correctedDay(day, 500);
    expect(details).toEqual(reissuedDetails(day, 500));
    expect(summary.text).not.toBe(day.summary.text);
    const total = (of: readonly { readonly totalSettled: number }[]) =>
      of.reduce((sum, { totalSettled }) => sum + totalSettled, 0);
    expect(total(rows)).toBe(total(day.rows) + 500);
    expect(total(deposits)).toBe(total(rows));
  });

  test('a summary one cent off differs in one deposit', () => {
    const day = settlementDay({ ...northwind, deposits: 2 });
    const before = day.summary.text.split('\n');
    const changed = summaryOneCentOff(day)
      .text.split('\n')
      .filter((line, index) => line !== before[index]);
    expect(changed).toHaveLength(1);
  });
});
