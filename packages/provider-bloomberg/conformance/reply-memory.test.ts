import { expect, test } from 'vitest';
import { inspectReply } from '../src/formats/reply-inspection.ts';
import { frame } from '../test/formats/replies.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

test('a reply of 1 GiB takes no more memory than a small one', () => {
  const fields = Array.from({ length: 30 }, (_, i) => `FIELD_${i}`);
  const values = fields.map((_, i) => (i % 10 === 0 ? 'N.A.' : `${i}31.450000`));
  const row = `IBM US Equity|0|${fields.length}|${values.join('|')}|\n`;
  // Whole rows, so that the same bytes can come again and again; some of them cut by the chunks they are written in.
  const rows = Buffer.from(row.repeat(Math.floor(MIB / row.length)));
  const [head = '', tail = ''] = frame({ program: 'getdata', fields, rows: ['ROWS'] }).split(
    'ROWS\n',
  );
  const inspection = inspectReply();
  inspection.write(Buffer.from(head));
  const times = Math.ceil(GIB / rows.length);
  const before = usedBytes();
  let most = before;
  for (let i = 0; i < times; i += 1) {
    const cut = 1 + ((i * 7919) % (rows.length - 1));
    inspection.write(rows.subarray(0, cut));
    inspection.write(rows.subarray(cut));
    most = Math.max(most, usedBytes());
  }
  inspection.write(Buffer.from(tail));
  const count = times * (rows.toString('latin1').split('\n').length - 1);
  expect(inspection.finish().facts).toMatchObject({ rows: count, nulls: { 'N.A.': 3 * count } });
  console.info(`1 GiB: ${Math.ceil((most - before) / MIB)} MiB more than before it`);
  expect(most - before).toBeLessThan(64 * MIB);
}, 600_000);

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
