import type { InspectionResult } from '@octo/plugin-api';
import type { ReportRules } from './csv-inspection.ts';
import type { CsvRecords } from './csv-records.ts';
import { Currencies } from './currencies.ts';
import { type DepositTotals, FactsOfDeposits } from './deposit-facts.ts';
import type { Header } from './header.ts';
import { amount } from './money.ts';

/**
 * The summary report: one row a deposit. Its layout is not public; ours mirrors the vendor's API, where `total_fees` is
 * the whole fee. So a summary of another layout is delivered with a warning, and only not held against the details.
 */
export class SummaryRules implements ReportRules {
  readonly #deposits = new FactsOfDeposits();
  readonly #currencies = new Currencies();
  #columns: Columns | undefined;

  header(header: Header): void {
    const columns = {
      sales: header.place('total_sales'),
      refunds: header.place('total_refunds'),
      fees: header.place('total_fees'),
      total: header.place('total_settled'),
      deposit: header.place('deposit_id'),
      currency: header.place('currency'),
    };
    const { sales, refunds, fees, total } = columns;
    if (Math.min(sales, refunds, fees, total) !== -1) this.#columns = columns;
  }

  row(record: CsvRecords): boolean {
    if (this.#columns === undefined) return true;
    const { deposit, currency, ...columns } = this.#columns;
    const sales = amount(record, columns.sales, 'total_sales');
    const refunds = amount(record, columns.refunds, 'total_refunds');
    const fees = amount(record, columns.fees, 'total_fees');
    const total = amount(record, columns.total, 'total_settled');
    this.#deposits.add(deposit === -1 ? '' : record.text(deposit), {
      rows: 1,
      sales: BigInt(sales),
      refunds: BigInt(refunds),
      fees: BigInt(fees),
      total: BigInt(total),
    });
    this.#currencies.see(record, currency);
    return total === sales + refunds + fees;
  }

  finish(): InspectionResult {
    if (this.#columns === undefined)
      return {
        facts: { kind: 'summary' },
        warnings: [
          'this summary has not the known columns total_sales, total_refunds, total_fees and total_settled; it is not held against the details',
        ],
      };
    return {
      facts: { kind: 'summary', ...this.#deposits.facts(), ...this.#currencies.facts() },
      warnings: [...this.#currencies.warnings(), ...this.#deposits.warnings()],
    };
  }
}

interface Columns extends Record<keyof Omit<DepositTotals, 'rows'>, number> {
  readonly deposit: number;
  readonly currency: number;
}
