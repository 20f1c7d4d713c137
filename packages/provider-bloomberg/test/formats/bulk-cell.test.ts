import { expect, test } from 'vitest';
import { readBulkCell } from '../../src/formats/bulk-cell.ts';

// The cells are the known answers of Bloomberg's layout.
test('a call schedule is rows of a date and a price', () => {
  expect(readBulkCell(';2;2;2;5;20280301;3;103.438000;5;20290301;3;101.719000;')).toEqual([
    [
      { type: 5, value: '20280301' },
      { type: 3, value: '103.438000' },
    ],
    [
      { type: 5, value: '20290301' },
      { type: 3, value: '101.719000' },
    ],
  ]);
});

test('a cell of one dimension is rows of one value', () => {
  expect(readBulkCell(';1;2;5;11/01/2027;5;11/01/2028;')).toEqual([
    [{ type: 5, value: '11/01/2027' }],
    [{ type: 5, value: '11/01/2028' }],
  ]);
});

test('a cell may have no rows, and values may be empty', () => {
  expect(readBulkCell(';2;0;3;')).toEqual([]);
  expect(readBulkCell(';1;1;1;;')).toEqual([[{ type: 1, value: '' }]]);
});

test.each([
  ['a value less', ';2;2;2;5;20280301;3;103.438000;5;20290301;3;'],
  ['a value more', ';1;1;5;11/01/2027;5;11/01/2028;'],
  ['no end', ';1;2;5;11/01/2027;5;11/01/2028'],
  ['no beginning', '1;2;5;11/01/2027;5;11/01/2028;'],
  ['three dimensions', ';3;1;1;1;5;x;'],
  ['a number of rows that is none', ';1;two;5;11/01/2027;5;11/01/2028;'],
  ['a number of rows that no memory has room for', ';1;999999999999;5;11/01/2027;'],
  ['a type that is none', ';1;1;x;11/01/2027;'],
  ['nothing', ''],
  ['one separator', ';'],
])('a cell with %s is refused', (_, cell) => {
  expect(() => readBulkCell(cell)).toThrow(/not what its first numbers announce/);
});
