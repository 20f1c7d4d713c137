/** Values for any security, field and day: made up, plausible, and the same on every machine. */
import { seededRandom, type SeededRandom } from '../settlements/seeded-random.ts';
import { yellowKeyOf, type AskedSecurity } from './asked-security.ts';

/** Why there is no value. */
export type MissingToken = 'N.A.' | 'N.D.' | 'N.S.' | 'FLD UNKNOWN';

export type Cell =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number; readonly decimals: number }
  /** Milliseconds since the epoch, at midnight UTC. */
  | { readonly kind: 'date'; readonly dayMs: number }
  | { readonly kind: 'time'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Rows of typed values; a single column makes a list of one dimension. */
  | { readonly kind: 'bulk'; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: 'missing'; readonly token: MissingToken };

/**
 * The value of a field. An override of that very field is taken at its word. Fields that begin with `NA_`, `ND_`, `NS_` and
 * `UNKNOWN_` are missing in that way; so are fields of bonds for anything that is none.
 *
 * @param dayMs of the value, midnight UTC
 */
export function cellOf(security: AskedSecurity, field: string, dayMs: number): Cell {
  const override = security.overrides.find((one) => one.field === field);
  if (override !== undefined) return { kind: 'text', text: override.value };
  const magic = MAGIC.find(([prefix]) => field.startsWith(prefix));
  if (magic !== undefined) return { kind: 'missing', token: magic[1] };
  const isBond = !NOT_BONDS.has(yellowKeyOf(security));
  if (OF_BONDS.has(field) && !isBond) return { kind: 'missing', token: 'N.A.' };
  const steady = STEADY.test(field);
  const seed = `${security.value}|${field}${steady ? '' : `|${dayMs}`}`;
  return makerOf(field)({ security, dayMs, random: seededRandom(seed) });
}

/** Whether `gethistory` has a past of this field. */
export function isHistorical(field: string): boolean {
  return /^(PX_|YLD_|TOT_RETURN|EQY_SH_OUT$|CUR_MKT_CAP$|N[ADS]_|UNKNOWN_)/.test(field);
}

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Monday to Friday from the first day to the last, both included and both at midnight UTC. */
export function businessDays(fromMs: number, toMs: number): number[] {
  const days: number[] = [];
  for (let day = fromMs; day <= toMs; day += DAY_MS) {
    const weekday = new Date(day).getUTCDay();
    if (weekday !== 0 && weekday !== 6) days.push(day);
  }
  return days;
}

interface Occasion {
  readonly security: AskedSecurity;
  readonly dayMs: number;
  readonly random: SeededRandom;
}
type Maker = (occasion: Occasion) => Cell;

const MAGIC: readonly (readonly [prefix: string, token: MissingToken])[] = [
  ['NA_', 'N.A.'],
  ['ND_', 'N.D.'],
  ['NS_', 'N.S.'],
  ['UNKNOWN_', 'FLD UNKNOWN'],
];
const NOT_BONDS = new Set(['Comdty', 'Curncy', 'Equity', 'Index']);
const OF_BONDS = new Set([
  'CALLABLE',
  'CALL_SCHEDULE',
  'CPN',
  'CPN_FREQ',
  'INT_ACC',
  'ISSUE_DT',
  'MATURITY',
  'REFUNDING_DATES',
  'YLD_YTM_MID',
]);

/** Fields that are tomorrow what they are today. */
const STEADY =
  /^(ID_|NAME$|TICKER$|CRNCY$|SECURITY_|COUNTRY_|EXCH_|CPN|ISSUE|MATURITY$|CALL|REFUND)/;

const LETTERS = 'BCDFGHJKLMNPQRSTVWXYZ';
const DIGITS = '0123456789';

const text = (value: string): Cell => ({ kind: 'text', text: value });
const date = (dayMs: number): Cell => ({ kind: 'date', dayMs });
const number =
  (decimals: number, low: number, high: number): Maker =>
  ({ random }) => {
    const value =
      Math.round((low + random.next() * (high - low)) * 10 ** decimals) / 10 ** decimals;
    return { kind: 'number', value, decimals };
  };
const price = number(6, 90, 310);

const MAKERS: { readonly [field: string]: Maker } = {
  CALL_SCHEDULE: ({ dayMs }) => ({
    kind: 'bulk',
    rows: [2, 3].map((years, i) => [
      date(dayMs + years * 365 * DAY_MS),
      { kind: 'number', value: 103.438 - i * 1.719, decimals: 6 },
    ]),
  }),
  CALLABLE: ({ random }) => ({ kind: 'boolean', value: random.chance(0.5) }),
  COUNTRY_ISO: ({ random }) => text(random.pick(['US', 'DE', 'GB', 'JP'])),
  CPN: number(6, 0.5, 8),
  CPN_FREQ: number(0, 1, 4),
  CRNCY: ({ random }) => text(random.pick(['USD', 'EUR', 'GBP'])),
  ID_BB_GLOBAL: ({ random }) => text(`BBG00${random.text(7, LETTERS + DIGITS)}`),
  ID_CUSIP: ({ random }) => text(random.text(9, DIGITS)),
  ID_ISIN: ({ random }) => text(`US${random.text(10, DIGITS)}`),
  ID_SEDOL1: ({ random }) => text(random.text(7, LETTERS)),
  INT_ACC: number(6, 0, 4),
  ISSUE_DT: ({ dayMs, random }) => date(dayMs - random.whole(30, 3000) * DAY_MS),
  LAST_UPDATE: ({ random }) => ({
    kind: 'time',
    text: `${random.whole(10, 20)}:${random.whole(10, 59)}:${random.whole(10, 59)}`,
  }),
  MATURITY: ({ random }) => date(Date.UTC(2030 + random.whole(0, 20), random.whole(0, 11), 15)),
  NAME: ({ security }) => text(`${security.value.split(' ')[0]} HOLDINGS`.toUpperCase()),
  REFUNDING_DATES: ({ dayMs }) => ({
    kind: 'bulk',
    rows: [1, 2].map((years) => [date(dayMs + years * 365 * DAY_MS)]),
  }),
  SECURITY_TYP: () => text('Common Stock'),
  TICKER: ({ security }) => text(security.value.split(' ')[0] ?? security.value),
  YLD_YTM_MID: number(6, 1, 7),
};

/** By the shape of its name, when it has no maker of its own. */
function makerOf(field: string): Maker {
  const own = Object.hasOwn(MAKERS, field) ? MAKERS[field] : undefined;
  if (own !== undefined) return own;
  if (/(_DT|_DATE)$/.test(field)) return ({ dayMs }) => date(dayMs);
  if (/(VOLUME|_SH_OUT|_COUNT)/.test(field)) return number(0, 1_000, 9_000_000);
  if (/^(PX|TOT_RETURN)_|_PX$/.test(field)) return price;
  if (/^(IS_|HAS_)|_FLAG$/.test(field))
    return ({ random }) => ({ kind: 'boolean', value: random.chance(0.5) });
  return ({ random }) => text(random.text(6, LETTERS));
}
