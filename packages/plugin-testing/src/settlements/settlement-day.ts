import { coveredDays } from './calendar-days.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import {
  DETAILS_HEADER,
  detailsLine,
  type SettlementDeposit,
  type SettlementRow,
  SUMMARY_HEADER,
  summaryLine,
} from './settlement-csv.ts';
import { depositId, settlementRows } from './settlement-rows.ts';

/** A merchant's settlement of one date: the pair of files that the vendor would put on its server. */
export interface SettlementDay {
  readonly details: SettlementFile;
  readonly summary: SettlementFile;
  readonly rows: readonly SettlementRow[];
  readonly deposits: readonly SettlementDeposit[];
}

export interface SettlementFile {
  readonly name: string;
  readonly text: string;
}

export interface SettlementDayOptions {
  readonly merchant: string;
  /** When the money is disbursed, YYYY-MM-DD, Monday to Friday. Monday covers Friday, Saturday and Sunday. */
  readonly date: string;
  /** Same seed, merchant and date: same bytes. */
  readonly seed?: string | number;
  /** Captures on an ordinary day, on average. 0 is a day without activity: reports of nothing but the header. */
  readonly orders?: number;
  /** How many bank deposits share the day; two by chance (15 %) when not given. */
  readonly deposits?: number;
  readonly currency?: string;
  readonly lineEnd?: '\n' | '\r\n';
}

/** Details and summary of one settlement date. They agree to the cent. */
export function settlementDay(options: SettlementDayOptions): SettlementDay {
  const { merchant, date, seed = 1, orders = 40, currency = 'USD', lineEnd = '\n' } = options;
  const ofMerchant = seededRandom(`${seed}/${merchant}`);
  const mdr = ofMerchant.whole(299, 599);
  const accountLastFour = `${ofMerchant.whole(0, 9999)}`.padStart(4, '0');
  const random = seededRandom(`${seed}/${merchant}/${date}`);
  const depositIds = makeDepositIds(options.deposits ?? (random.chance(0.15) ? 2 : 1), random);
  const rows = [...settlementRows({ orders, mdr, currency }, date, depositIds, random)];
  const deposits = sumUp(rows, accountLastFour);
  const lines = (header: string, body: readonly string[]) =>
    [header, ...body].map((line) => line + lineEnd).join('');
  return {
    details: {
      name: settlementName(merchant, date, 'details'),
      text: lines(DETAILS_HEADER, rows.map(detailsLine)),
    },
    summary: {
      name: settlementName(merchant, date, 'summary'),
      text: lines(SUMMARY_HEADER, deposits.map(summaryLine)),
    },
    rows,
    deposits,
  };
}

/** `northwind_2026-01-14_2026-01-14_details.csv` for the settlement date 2026-01-15. */
export function settlementName(
  merchant: string,
  date: string,
  kind: 'details' | 'summary',
): string {
  const days = coveredDays(date);
  return `${merchant}_${days[0]}_${days.at(-1)}_${kind}.csv`;
}

/** What the summary of these rows says, deposit by deposit in the order of their first row. */
export function sumUp(
  rows: readonly SettlementRow[],
  accountLastFour: string,
): readonly SettlementDeposit[] {
  const byDeposit = Map.groupBy(rows, (row) => row.depositId);
  return [...byDeposit].map(([id, ofDeposit]) => ({
    date: ofDeposit[0]?.date ?? '',
    depositId: id,
    sales: total(ofDeposit, (row) => row.sales),
    refunds: total(ofDeposit, (row) => row.refunds),
    fees: total(ofDeposit, (row) => row.fees + row.txnFees),
    totalSettled: total(ofDeposit, (row) => row.totalSettled),
    currency: ofDeposit[0]?.currency ?? '',
    accountLastFour,
  }));
}

function makeDepositIds(count: number, random: SeededRandom): readonly string[] {
  return Array.from({ length: count }, () => depositId(random));
}

function total(rows: readonly SettlementRow[], of: (row: SettlementRow) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}
