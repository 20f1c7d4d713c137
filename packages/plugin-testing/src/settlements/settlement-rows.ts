import { addDays, coveredDays } from './calendar-days.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SettlementRow } from './settlement-csv.ts';

/** How a merchant's business runs. */
export interface Business {
  /** Captures on an ordinary day, on average. */
  readonly orders: number;
  /** The merchant discount in basis points: 429 is 4.29 %. */
  readonly mdr: number;
  readonly currency: string;
}

/** Sunday first. Shops sell more at the weekend. */
const WEEKDAY_FACTOR = [1.2, 1, 0.95, 0.95, 1, 1.1, 1.25];
const FIXED_FEE = 30;
const UPPER = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const MIXED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The money events of a settlement date, each assigned to one of the deposits. For every row the identity holds. */
export function* settlementRows(
  business: Business,
  date: string,
  depositIds: readonly string[],
  random: SeededRandom,
): Generator<SettlementRow> {
  for (const day of coveredDays(date)) {
    const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
    const captures = random.poisson(business.orders * (WEEKDAY_FACTOR[weekday] ?? 1));
    for (let i = 0; i < captures; i += 1) {
      const depositId = random.pick(depositIds);
      yield* eventsOfOrder({ business, date, day, depositId }, random);
    }
  }
}

interface Place {
  readonly business: Business;
  readonly date: string;
  readonly day: string;
  readonly depositId: string;
}

/** A capture, and now and then something that happened to an older order on the same day. */
function* eventsOfOrder(place: Place, random: SeededRandom): Generator<SettlementRow> {
  const sales = ticket(random);
  const fees = -Math.round((sales * place.business.mdr) / 10_000);
  const eventType = random.chance(0.02) ? 'split_capture' : 'loan_captured';
  yield row(place, random, 0, eventType, { sales, fees, txnFees: -FIXED_FEE });
  if (random.chance(0.05)) yield refund(place, random);
  if (random.chance(0.003)) yield dispute(place, random);
  if (random.chance(0.002))
    yield row(place, random, random.whole(1, 30), 'fee_adjustment', { fees: random.whole(1, 400) });
}

function refund(place: Place, random: SeededRandom): SettlementRow {
  const whole = ticket(random);
  const refunds = random.chance(0.3) ? -random.whole(500, whole) : -whole;
  return row(place, random, random.whole(1, 60), 'loan_refunded', { refunds });
}

function dispute(place: Place, random: SeededRandom): SettlementRow {
  const age = random.whole(20, 90);
  return random.chance(0.4)
    ? row(place, random, age, 'dispute_resolved', { sales: ticket(random) })
    : row(place, random, age, 'dispute_opened', { refunds: -ticket(random) });
}

/** Cents; log-normal with a median of 280 dollars, between 50 and 30,000. */
function ticket(random: SeededRandom): number {
  const cents = Math.round(28_000 * Math.exp(0.8 * random.normal()));
  return Math.min(3_000_000, Math.max(5_000, cents));
}

type Amounts = Partial<Pick<SettlementRow, 'sales' | 'refunds' | 'fees' | 'txnFees'>>;

function row(
  place: Place,
  random: SeededRandom,
  ageDays: number,
  eventType: string,
  amounts: Amounts,
): SettlementRow {
  const { sales = 0, refunds = 0, fees = 0, txnFees = 0 } = amounts;
  return {
    date: place.date,
    chargeCreatedDate: addDays(place.day, -ageDays),
    chargeId: `${random.text(4, UPPER)}-${random.text(4, UPPER)}`,
    transactionId: random.text(16, MIXED),
    orderId: orderId(random),
    eventType,
    sales,
    refunds,
    fees,
    txnFees,
    totalSettled: sales + refunds + fees + txnFees,
    currency: place.business.currency,
    depositId: place.depositId,
  };
}

/** What shops write there: mostly plain numbers, some empty, some with what makes a careless parser stumble. */
function orderId(random: SeededRandom): string {
  const number = `${random.whole(90_000, 199_999)}`.padStart(6, '0');
  const dice = random.next();
  if (dice < 0.02) return '';
  if (dice < 0.05) return `SO-${number}, split`;
  if (dice < 0.06) return `SO-${number} 27" frame`;
  if (dice < 0.08) return `000${number}`;
  return `SO-${number}`;
}

/** The id of a bank deposit, such as `Q7RT2LMX90PWKZ4`. */
export function depositId(random: SeededRandom): string {
  return random.text(15, UPPER);
}
