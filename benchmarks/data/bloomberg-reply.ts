/**
 * A large getdata reply of Bloomberg, the same every time: prices and reference data of made-up securities, with values that are
 * missing and rows that failed. A stretch of rows is written again and again.
 */
import { open } from 'node:fs/promises';

export interface WrittenReply {
  readonly bytes: number;
  readonly rows: number;
  /** Rows with return code 10. */
  readonly failed: number;
  /** Values `N.A.` */
  readonly notAvailable: number;
}

const STRETCH_BYTES = 16 * 1024 ** 2;
const FIELDS = (
  'ID_BB_GLOBAL ID_ISIN TICKER NAME SECURITY_TYP CRNCY EXCH_CODE PX_LAST PX_BID PX_ASK PX_OPEN PX_HIGH PX_LOW PX_VOLUME ' +
  'PX_CLOSE_1D LAST_UPDATE_DT LAST_UPDATE PRICING_SOURCE CPN CPN_FREQ MATURITY ISSUE_DT AMT_OUTSTANDING RTG_MOODY RTG_SP ' +
  'CALLABLE CALL_SCHEDULE YLD_YTM_MID DUR_ADJ_MID INT_ACC'
).split(' ');

/** About `bytes` long, and at least one stretch. */
export async function writeBloombergReply(path: string, bytes: number): Promise<WrittenReply> {
  const stretch = rowsOf(Math.min(bytes, STRETCH_BYTES));
  const times = Math.max(1, Math.round(bytes / stretch.text.length));
  const head = ['START-OF-FILE', 'PROGRAMNAME=getdata', 'DATEFORMAT=yyyymmdd', ''];
  const fields = ['START-OF-FIELDS', ...FIELDS, 'END-OF-FIELDS', '', 'START-OF-DATA', ''];
  const rows = stretch.rows * times;
  await using file = await open(path, 'w');
  await file.write([...head, ...fields].join('\n'));
  for (let i = 0; i < times; i += 1) await file.write(stretch.text);
  await file.write(`END-OF-DATA\nDATARECORDS=${rows}\nEND-OF-FILE\n`);
  const { size } = await file.stat();
  const [failed, notAvailable] = [stretch.failed * times, stretch.notAvailable * times];
  return { bytes: size, rows, failed, notAvailable };
}

interface Stretch extends Omit<WrittenReply, 'bytes'> {
  readonly text: Buffer;
}

function rowsOf(bytes: number): Stretch {
  const next = randomFrom(20_260_115);
  const lines: string[] = [];
  let [failed, notAvailable] = [0, 0];
  for (let length = 0; length < bytes;) {
    const fails = next() % 200 === 0;
    const line = fails ? failedRow(next) : row(next);
    if (fails) failed += 1;
    notAvailable += line.split('|N.A.').length - 1;
    lines.push(line);
    length += line.length;
  }
  return { text: Buffer.from(lines.join('')), rows: lines.length, failed, notAvailable };
}

function failedRow(next: () => number): string {
  return `NOPE${next()} US Equity|10|${FIELDS.length}|${' |'.repeat(FIELDS.length)}\n`;
}

function row(next: () => number): string {
  const values = FIELDS.map((field) => (next() % 25 === 0 ? 'N.A.' : value(field, next)));
  return `XS${next()} Corp|0|${FIELDS.length}|${values.join('|')}|\n`;
}

function value(field: string, next: () => number): string {
  if (/^(PX_VOLUME|AMT_)/.test(field)) return `${next() % 90_000_000}`;
  if (/^(PX_|CPN$|YLD_|DUR_|INT_)/.test(field)) return ((next() % 300_000_000) / 1e6).toFixed(6);
  if (/(_DT|MATURITY)$/.test(field)) return `20${10 + (next() % 30)}0${1 + (next() % 9)}15`;
  if (field === 'CALL_SCHEDULE') return ';2;2;2;5;20280301;3;103.438000;5;20290301;3;101.719000;';
  if (field === 'NAME') return `HOLDINGS ${next().toString(36).toUpperCase()} PLC`;
  if (field.startsWith('ID_')) return `BBG00${next().toString(36).toUpperCase()}`;
  return next().toString(36).slice(0, 3).toUpperCase();
}

/** Marsaglia's xorshift, 32 bits. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
