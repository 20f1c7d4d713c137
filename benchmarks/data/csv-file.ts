/**
 * A large CSV file of orders, the same every time. It compresses to about a third, as such files do. A stretch of rows that
 * is longer than any compressor here looks back is written again and again.
 */
import { open, utimes } from 'node:fs/promises';

const HEADER = 'order_id,created,merchant,event,amount,fee,currency,token\n';
const STRETCH_BYTES = 16 * 1024 ** 2;
const EVENTS = ['loan_captured', 'refund', 'dispute', 'adjustment'];
const PUBLISHED = new Date('2026-01-15T12:00:00Z');

export async function writeCsvFile(path: string, bytes: number): Promise<void> {
  const stretch = rows(Math.min(bytes, STRETCH_BYTES));
  {
    await using file = await open(path, 'w');
    await file.write(HEADER.slice(0, bytes));
    for (let left = bytes - HEADER.length; left > 0; left -= stretch.length)
      await file.write(stretch.subarray(0, left));
  }
  await utimes(path, PUBLISHED, PUBLISHED);
}

function rows(bytes: number): Buffer {
  const next = randomFrom(20_260_115);
  const lines: string[] = [];
  for (let length = 0; length < bytes;) {
    const line = row(next);
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join(''));
}

function row(next: () => number): string {
  const minute = String(next() % 60).padStart(2, '0');
  const amount = (next() % 500_000) / 100;
  return [
    `A${next().toString(36).padStart(7, '0')}`,
    `2026-01-${10 + (next() % 20)}T${10 + (next() % 14)}:${minute}:00Z`,
    `merchant-${next() % 40}`,
    EVENTS[next() % EVENTS.length],
    amount.toFixed(2),
    (amount * 0.029).toFixed(2),
    'USD',
    `${next().toString(16)}${next().toString(16)}`,
  ]
    .join(',')
    .concat('\n');
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
