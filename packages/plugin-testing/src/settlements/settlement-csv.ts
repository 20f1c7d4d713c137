/** How settlement files are written: columns in the vendor's order, money as decimals with two places. */

/** One money event. Amounts in cents. */
export interface SettlementRow {
  readonly date: string;
  readonly chargeCreatedDate: string;
  readonly chargeId: string;
  readonly transactionId: string;
  readonly orderId: string;
  readonly eventType: string;
  readonly sales: number;
  readonly refunds: number;
  readonly fees: number;
  readonly txnFees: number;
  readonly totalSettled: number;
  readonly currency: string;
  readonly depositId: string;
}

/** One deposit as the summary file tells it. Amounts in cents; `fees` is the whole fee. */
export interface SettlementDeposit {
  readonly date: string;
  readonly depositId: string;
  readonly sales: number;
  readonly refunds: number;
  readonly fees: number;
  readonly totalSettled: number;
  readonly currency: string;
  readonly accountLastFour: string;
}

export const DETAILS_HEADER =
  'date,charge_created_date,charge_id,transaction_id,order_id,event_type,' +
  'sales,refunds,fees,txn_fees,total_settled,currency,deposit_id';

export const SUMMARY_HEADER =
  'date,deposit_id,total_sales,total_refunds,total_fees,total_settled,currency,account_last_four';

export function detailsLine(row: SettlementRow): string {
  const money = [row.sales, row.refunds, row.fees, row.txnFees, row.totalSettled];
  return [
    row.date,
    row.chargeCreatedDate,
    row.chargeId,
    row.transactionId,
    quoted(row.orderId),
    row.eventType,
    ...money.map(dollars),
    row.currency,
    row.depositId,
  ].join(',');
}

export function summaryLine(deposit: SettlementDeposit): string {
  const money = [deposit.sales, deposit.refunds, deposit.fees, deposit.totalSettled];
  return [
    deposit.date,
    deposit.depositId,
    ...money.map(dollars),
    deposit.currency,
    deposit.accountLastFour,
  ].join(',');
}

/** `-30` → `-0.30`. */
export function dollars(cents: number): string {
  const digits = `${Math.abs(cents)}`.padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
