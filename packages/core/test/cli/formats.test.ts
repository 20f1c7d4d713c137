import { expect, test } from 'vitest';
import { formatBytes } from '../../src/cli/format-bytes.ts';
import { formatDuration } from '../../src/cli/format-duration.ts';
import { fitText, padText, textWidth } from '../../src/cli/text-width.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [12_345_678, '12.3 MB'],
  [999_949, '1.00 MB'],
  [999_400, '999 kB'],
  [4 * 2 ** 30, '4.29 GB'],
])('%i bytes read %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [420, '0.4 s'],
  [31_000, '31 s'],
  [59_700, '1 min 00 s'],
  [245_000, '4 min 05 s'],
  [7_800_000, '2 h 10 min'],
  [273_600_000, '3 d 4 h'],
])('%i milliseconds read %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('text is measured in the columns that a terminal needs', () => {
  expect(textWidth('übung')).toBe(5);
  expect(textWidth('u\u0308bung')).toBe(5);
  expect(textWidth('決済.csv')).toBe(8);
  expect(padText('決済', 6)).toBe('決済  ');
});

test('text is cut with an ellipsis, never in the middle of a character', () => {
  expect(fitText('settlement.csv', 20)).toBe('settlement.csv');
  expect(fitText('settlement.csv', 8)).toBe('settlem…');
  expect(fitText('決済決済', 4)).toBe('決…');
  expect(fitText('abc', 0)).toBe('');
});
