/** What a report says about one deposit. Money in cents; `fees` is the whole fee. */
export interface DepositTotals {
  readonly rows: number;
  readonly sales: bigint;
  readonly refunds: bigint;
  readonly fees: bigint;
  readonly total: bigint;
}

/** Deposits of a file that are told apart. A day has one or two. */
export const MAX_DEPOSITS = 1_000;

/** Bytes of a deposit's id. Real ones have 15. */
export const MAX_ID_BYTES = 64;

/** Collects a report's deposits, and writes them as the facts that the ledger keeps: JSON, cents as strings. */
export class FactsOfDeposits {
  readonly #deposits = new Map<string, DepositTotals>();
  #beyond: DepositTotals;

  /** @param beyond what was added up already without telling deposits apart */
  constructor(beyond: DepositTotals = NOTHING) {
    this.#beyond = beyond;
  }

  /** Adds to the deposit of this id; to no particular one beyond {@link MAX_DEPOSITS} and {@link MAX_ID_BYTES}. */
  add(id: string, totals: DepositTotals): void {
    const known = this.#deposits.get(id);
    const full = known === undefined && this.#deposits.size === MAX_DEPOSITS;
    if (full || id.length > MAX_ID_BYTES) this.#beyond = plus(this.#beyond, totals);
    else this.#deposits.set(id, plus(known ?? NOTHING, totals));
  }

  facts(): { readonly [name: string]: unknown } {
    const deposits = [...this.#deposits].map(([id, totals]) => [id, written(totals)] as const);
    const total = [...this.#deposits.values()].reduce(plus, this.#beyond);
    return {
      deposits: Object.fromEntries(deposits),
      everyDeposit: this.#beyond.rows === 0,
      total: written(total),
    };
  }

  warnings(): string[] {
    return this.#beyond.rows === 0
      ? []
      : [
          `there are more than ${MAX_DEPOSITS} deposits, or ids too long for one; only the totals of the file are compared`,
        ];
  }
}

const NOTHING: DepositTotals = { rows: 0, sales: 0n, refunds: 0n, fees: 0n, total: 0n };

function plus(one: DepositTotals, other: DepositTotals): DepositTotals {
  return {
    rows: one.rows + other.rows,
    sales: one.sales + other.sales,
    refunds: one.refunds + other.refunds,
    fees: one.fees + other.fees,
    total: one.total + other.total,
  };
}

function written(totals: DepositTotals): { readonly [name: string]: string | number } {
  const { rows, sales, refunds, fees, total } = totals;
  return { rows, sales: `${sales}`, refunds: `${refunds}`, fees: `${fees}`, total: `${total}` };
}
