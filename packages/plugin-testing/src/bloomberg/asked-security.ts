/** A security as a request names it, over either transport. */
export interface AskedSecurity {
  /** `IBM US Equity`, `US912810TM09`. */
  readonly value: string;
  /** `TICKER`, `ISIN` …; without one it is a ticker. */
  readonly type?: string;
  readonly overrides: readonly { readonly field: string; readonly value: string }[];
}

/**
 * Bloomberg's answer for this security. Magic tickers make it fail: `NOPE…` is not found (10), `SYS…` meets a system error
 * (988), `PERM…` is not permitted (994), `RC605 …` answers with that code, negative ones too. An unknown type is 998.
 */
export function returnCodeOf({ value, type = 'TICKER' }: AskedSecurity): number {
  const spelled = /^RC(-?\d+)\b/.exec(value)?.[1];
  if (spelled !== undefined) return Number(spelled);
  const magic = MAGIC.find(([prefix]) => value.startsWith(prefix))?.[1];
  return magic ?? (IDENTIFIER_TYPES.has(type) ? 0 : 998);
}

/** The last word of a ticker with the capitals that Bloomberg wants; what else is asked for counts as a bond. */
export function yellowKeyOf({ value, type = 'TICKER' }: AskedSecurity): string {
  const word = value.slice(value.lastIndexOf(' ') + 1);
  return type === 'TICKER' && YELLOW_KEYS.has(word) ? word : 'Corp';
}

const MAGIC: readonly (readonly [prefix: string, code: number])[] = [
  ['NOPE', 10],
  ['SYS', 988],
  ['PERM', 994],
];

const YELLOW_KEYS = new Set([
  'Comdty',
  'Corp',
  'Curncy',
  'Equity',
  'Govt',
  'Index',
  'M-Mkt',
  'Mtge',
  'Muni',
  'Pfd',
]);

const IDENTIFIER_TYPES = new Set([
  'BB_GLOBAL',
  'BB_UNIQUE',
  'CATS',
  'CINS',
  'COMMON_NUMBER',
  'CUSIP',
  'ISIN',
  'SEDOL',
  'TICKER',
  'WPK',
]);
