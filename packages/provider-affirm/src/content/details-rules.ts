import type { InspectionResult } from '@octo/plugin-api';
import { ByteKeys } from './byte-keys.ts';
import { CentsSum } from './cents-sum.ts';
import type { ReportRules } from './csv-inspection.ts';
import type { CsvRecords } from './csv-records.ts';
import { Currencies } from './currencies.ts';
import { EventTypes } from './event-types.ts';
import { FactsOfDeposits, MAX_DEPOSITS, MAX_ID_BYTES } from './deposit-facts.ts';
import type { Header } from './header.ts';
import { amount } from './money.ts';

/**
 * The details report: one row a money event. Money is added up by deposit.
 *
 * In the CSV the identity is total_settled = sales + refunds + fees + txn_fees. (In the vendor's API `fees` is the whole
 * fee already; adding the two there counts twice.)
 */
export class DetailsRules implements ReportRules {
  readonly #deposits = new ByteKeys(MAX_DEPOSITS, () => new Totals());
  readonly #beyond = new Totals();
  readonly #events = new EventTypes();
  readonly #currencies = new Currencies();
  #columns = {
    event: 0,
    sales: 0,
    refunds: 0,
    fees: 0,
    txnFees: 0,
    total: 0,
    deposit: 0,
    currency: 0,
  };

  header(header: Header): void {
    // Virtual-card programmes call these two differently.
    header.required('date', 'event_date');
    header.required('charge_id', 'debit_id');
    this.#columns = {
      event: header.required('event_type'),
      sales: header.required('sales'),
      refunds: header.required('refunds'),
      fees: header.required('fees'),
      txnFees: header.required('txn_fees'),
      total: header.required('total_settled'),
      deposit: header.place('deposit_id'),
      currency: header.place('currency'),
    };
  }

  row(record: CsvRecords): boolean {
    const columns = this.#columns;
    const sales = amount(record, columns.sales, 'sales');
    const refunds = amount(record, columns.refunds, 'refunds');
    const fees = amount(record, columns.fees, 'fees');
    const txnFees = amount(record, columns.txnFees, 'txn_fees');
    const total = amount(record, columns.total, 'total_settled');
    this.#totalsOf(record).add(sales, refunds, fees, txnFees, total);
    this.#events.see(record, columns.event);
    this.#currencies.see(record, columns.currency);
    return total === sales + refunds + fees + txnFees;
  }

  finish(): InspectionResult {
    const deposits = new FactsOfDeposits(this.#beyond.facts());
    for (const [id, totals] of this.#deposits.entries()) deposits.add(id, totals.facts());
    return {
      facts: {
        kind: 'details',
        ...deposits.facts(),
        ...this.#currencies.facts(),
        events: this.#events.counts(),
      },
      warnings: [
        ...this.#events.warnings(),
        ...this.#currencies.warnings(),
        ...deposits.warnings(),
      ],
    };
  }

  #totalsOf(record: CsvRecords): Totals {
    const place = this.#columns.deposit;
    // Without the column there is one deposit, and it has no name.
    const [start, end] =
      place === -1 ? [0, 0] : [record.starts[place] ?? 0, record.ends[place] ?? 0];
    if (end - start > MAX_ID_BYTES) return this.#beyond;
    return this.#deposits.get(record.bytes, start, end) ?? this.#beyond;
  }
}

class Totals {
  rows = 0;
  readonly #sales = new CentsSum();
  readonly #refunds = new CentsSum();
  readonly #fees = new CentsSum();
  readonly #txnFees = new CentsSum();
  readonly #total = new CentsSum();

  add(sales: number, refunds: number, fees: number, txnFees: number, total: number): void {
    this.rows += 1;
    this.#sales.add(sales);
    this.#refunds.add(refunds);
    this.#fees.add(fees);
    this.#txnFees.add(txnFees);
    this.#total.add(total);
  }

  facts() {
    return {
      rows: this.rows,
      sales: this.#sales.total(),
      refunds: this.#refunds.total(),
      fees: this.#fees.total() + this.#txnFees.total(),
      total: this.#total.total(),
    };
  }
}
