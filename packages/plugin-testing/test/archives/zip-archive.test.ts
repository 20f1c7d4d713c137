import { expect, test } from 'vitest';
import { zipArchive } from '../../src/index.ts';

test('an honest archive has its signatures where they belong', () => {
  const zip = zipArchive([{ name: 'a', content: Buffer.from('hello'), stored: true }]);
  expect(zip.toString('latin1', 0, 4)).toBe('PK\x03\x04');
  expect(zip.toString('latin1', 31, 36)).toBe('hello');
  expect(zip.toString('latin1', 36, 40)).toBe('PK\x01\x02');
  expect(zip.toString('latin1', zip.length - 22, zip.length - 18)).toBe('PK\x05\x06');
});

test('lies stand where they were asked for', () => {
  const [before, after] = [Buffer.from('<'), Buffer.from('>')];
  const zip = zipArchive([], { count: 3, before, after });
  expect([zip.at(0), zip.at(-1)]).toEqual([before[0], after[0]]);
  expect(zip.readUInt16LE(zip.length - 1 - 22 + 10)).toBe(3);
});
