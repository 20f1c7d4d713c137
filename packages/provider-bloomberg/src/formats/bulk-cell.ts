import { PluginError } from '@octo/plugin-api';

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
  const head: number[] = [];
  let separators = 1;
  let number = 0;
  let digits = 0;
  for (let at = start + 1; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte === SEMICOLON) {
      separators += 1;
      if (head.length < 3) head.push(digits > 0 ? number : NaN);
      number = 0;
      digits = 0;
    } else if (head.length < 3) {
      number = byte >= ZERO && byte <= NINE && digits < 9 ? number * 10 + (byte - ZERO) : NaN;
      digits += 1;
    }
  }
  return separators === announced(head) ? separators : undefined;
}

function announced([dimensions, rows = NaN, columns = NaN]: readonly number[]): number {
  if (dimensions === 1) return 3 + 2 * rows;
  return dimensions === 2 ? 4 + 2 * rows * columns : NaN;
}

const [SEMICOLON, ZERO, NINE] = [0x3b, 0x30, 0x39];

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
