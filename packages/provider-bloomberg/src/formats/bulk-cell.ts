import { PluginError } from '@octo/plugin-api';
import { integerIn } from './integer-in.ts';

/** One value of a bulk field, with Bloomberg's code of its type: 1 character, 2 number, 3 price, 5 date, 12 month, 13 real. */
export interface BulkValue {
  readonly type: number;
  readonly value: string;
}

/**
 * The rows of a field of several values, which Bloomberg writes into one cell:
 * `;<dimensions>;<rows>;<columns>;<type>;<value>;…`, without the columns when there is one dimension.
 * @throws PluginError `integrity` `MALFORMED` when the cell is not exactly what its head announces
 */
export function readBulkCell(text: string): readonly (readonly BulkValue[])[] {
  const separators = bulkSeparators(Buffer.from(text), 0, Buffer.byteLength(text));
  if (separators === undefined) throw broken();
  const parts = text.split(';').slice(1, -1);
  const [rows, columns, head] = parts[0] === '1' ? [parts[1], '1', 2] : [parts[1], parts[2], 3];
  const values = pairs(parts.slice(head));
  return Array.from({ length: Number(rows) }, (_, row) =>
    values.slice(row * Number(columns), (row + 1) * Number(columns)),
  );
}

/**
 * How many separators the bulk cell between `start` and `end` has; `undefined` when that is not what its head announces.
 * Reads bytes only: a cell may hold thousands of rows.
 */
export function bulkSeparators(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < 2 || bytes[start] !== SEMICOLON || bytes[end - 1] !== SEMICOLON)
    return undefined;
  const due = announced(bytes, start + 1, end);
  let separators = 0;
  for (let at = start; at < end; at += 1) if (bytes[at] === SEMICOLON) separators += 1;
  return separators === due ? separators : undefined;
}

/** How many separators the cell should have, by the numbers at its head; `NaN` when they are none. */
function announced(bytes: Uint8Array, start: number, end: number): number {
  const afterDimensions = cellEnd(bytes, start, end);
  const afterRows = cellEnd(bytes, afterDimensions + 1, end);
  const rows = integerIn(bytes, afterDimensions + 1, afterRows);
  const dimensions = integerIn(bytes, start, afterDimensions);
  if (dimensions === 1) return rows < 0 ? NaN : 3 + 2 * rows;
  const columns = integerIn(bytes, afterRows + 1, cellEnd(bytes, afterRows + 1, end));
  return dimensions === 2 && rows >= 0 && columns >= 0 ? 4 + 2 * rows * columns : NaN;
}

function cellEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== SEMICOLON) at += 1;
  return at;
}

const SEMICOLON = 0x3b;

function pairs(parts: readonly string[]): BulkValue[] {
  return Array.from({ length: parts.length / 2 }, (_, index) => {
    const [type = '', value = ''] = parts.slice(2 * index, 2 * index + 2);
    if (!/^\d{1,3}$/.test(type)) throw broken();
    return { type: Number(type), value };
  });
}

function broken(): PluginError {
  return new PluginError('integrity', 'a bulk cell is not what its first numbers announce', {
    code: 'MALFORMED',
  });
}
