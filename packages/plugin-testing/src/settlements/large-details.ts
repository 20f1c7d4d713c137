import { seededRandom, type SeededRandom } from './seeded-random.ts';
import { DETAILS_HEADER, detailsLine, type SettlementRow } from './settlement-csv.ts';
import { settlementName } from './settlement-day.ts';
import { depositId, settlementRows } from './settlement-rows.ts';

/** A details file of any size that is never in memory as a whole. */
export interface LargeDetails {
  readonly name: string;
  /** Bytes, exactly as asked for. */
  readonly size: number;
  /** The same bytes at every call, in chunks of about 256 KiB that the reader may keep. */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface LargeDetailsOptions {
  /** Bytes. At least 4096. */
  readonly size: number;
  readonly merchant?: string;
  readonly date?: string;
  readonly seed?: string | number;
}

const BLOCK_BYTES = 256 * 1024;
const BLOCKS = 16;

/** A valid details file of exactly `size` bytes, quick to make: 4 MiB of rows are generated and repeated in random order. */
export function largeDetails(options: LargeDetailsOptions): LargeDetails {
  const { size, merchant = 'northwind', date = '2026-01-15', seed = 1 } = options;
  if (!(size >= 4096)) throw new RangeError(`a large file of ${size} bytes is too small`);
  return {
    name: settlementName(merchant, date, 'details'),
    size,
    chunks: () => write(size, date, `${seed}/${merchant}/${date}`),
  };
}

async function* write(size: number, date: string, seed: string): AsyncGenerator<Uint8Array> {
  const random = seededRandom(seed);
  const rows = endlessRows(date, random);
  const blocks = Array.from({ length: BLOCKS }, () => block(rows));
  const header = Buffer.from(`${DETAILS_HEADER}\n`);
  yield header;
  let left = size - header.length;
  for (let next = random.pick(blocks); left - next.length > 400; next = random.pick(blocks)) {
    left -= next.length;
    yield Buffer.from(next);
  }
  yield* lastLines(rows, left);
}

function block(rows: Iterator<SettlementRow>): Buffer {
  const lines: string[] = [];
  for (let bytes = 0; bytes < BLOCK_BYTES - 256;) {
    const line = `${detailsLine(nextRow(rows))}\n`;
    lines.push(line);
    bytes += Buffer.byteLength(line);
  }
  return Buffer.from(lines.join(''));
}

/** Rows up to the last byte; the last one's order number is as long as it takes. */
function* lastLines(rows: Iterator<SettlementRow>, bytes: number): Generator<Uint8Array> {
  let left = bytes;
  while (left > 400) {
    const line = Buffer.from(`${detailsLine(nextRow(rows))}\n`);
    left -= line.length;
    yield line;
  }
  const row = { ...nextRow(rows), orderId: '' };
  const missing = left - Buffer.byteLength(detailsLine(row)) - 1;
  yield Buffer.from(`${detailsLine({ ...row, orderId: '0'.repeat(missing) })}\n`);
}

function* endlessRows(date: string, random: SeededRandom): Generator<SettlementRow> {
  const deposits = [depositId(random), depositId(random)];
  const business = { orders: 1_000, mdr: 429, currency: 'USD' };
  for (;;) yield* settlementRows(business, date, deposits, random);
}

function nextRow(rows: Iterator<SettlementRow>): SettlementRow {
  return rows.next().value as SettlementRow;
}
