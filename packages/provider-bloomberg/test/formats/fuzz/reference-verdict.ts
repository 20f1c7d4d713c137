/**
 * Whether a reply is to be accepted, told in the simplest way: the whole of it as text, split and matched. Slow, needs all
 * memory, shares no code with the parser, and has to agree with it about every input.
 */
export function isAcceptable(bytes: Buffer): boolean {
  const plain =
    bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  const text = plain.toString('latin1');
  if (text.startsWith('START-OF-FILE')) return isFrame(text);
  if (/^"?DL_/.test(text)) return isCsv(plain);
  return /^[ \t\r\n]*\[/.test(text) && isJson(plain);
}

const ORDER = [
  /^START-OF-FILE,START-OF-DATA,END-OF-DATA,END-OF-FILE$/,
  /^START-OF-FILE,START-OF-FIELDS,END-OF-FIELDS,START-OF-DATA,END-OF-DATA,END-OF-FILE$/,
];
const MARKER =
  /^(START-OF-FILE|START-OF-FIELDS|END-OF-FIELDS|START-OF-DATA|END-OF-DATA|END-OF-FILE)$/;

function isFrame(text: string): boolean {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const markers = lines.filter((line) => MARKER.test(line));
  if (lines[0] !== 'START-OF-FILE' || !ORDER.some((one) => one.test(markers.join(','))))
    return false;
  const at = (marker: string): number => lines.indexOf(marker);
  const hasFields = markers.includes('START-OF-FIELDS');
  const before = hasFields
    ? [
        ...lines.slice(1, at('START-OF-FIELDS')),
        ...between(lines, 'END-OF-FIELDS', 'START-OF-DATA'),
      ]
    : between(lines, 'START-OF-FILE', 'START-OF-DATA');
  const fields = hasFields ? meant(between(lines, 'START-OF-FIELDS', 'END-OF-FIELDS')) : [];
  const after = between(lines, 'END-OF-DATA', 'END-OF-FILE');
  const rest = lines.slice(at('END-OF-FILE') + 1);
  if (rest.some((line) => !isBlank(line))) return false;
  if (!fields.every((field) => /^\w[\w %/.:&()+-]{0,99}$/.test(field))) return false;
  const head = headersOf(meant(before));
  const all = headersOf(meant([...before, ...after]));
  if (head === undefined || all === undefined) return false;
  const counts = recordsOf(between(lines, 'START-OF-DATA', 'END-OF-DATA'), fields, head);
  if (counts === undefined) return false;
  const declared = all.get('DATARECORDS');
  return declared === undefined || counts.includes(Number(declared));
}

function between(lines: readonly string[], from: string, to: string): string[] {
  return lines.slice(lines.indexOf(from) + 1, lines.indexOf(to));
}

function meant(lines: readonly string[]): string[] {
  return lines.filter((line) => !isBlank(line) && !line.startsWith('#'));
}

function isBlank(line: string): boolean {
  return line.replaceAll(' ', '').replaceAll('\t', '') === '';
}

function headersOf(lines: readonly string[]): Map<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const equals = line.indexOf('=');
    const [name, value] = [line.slice(0, equals), line.slice(equals + 1)];
    if (equals < 0 || !/^[A-Z][A-Z0-9_]*$/.test(name)) return undefined;
    if (headers.has(name) && headers.get(name) !== value) return undefined;
    if (name === 'DATARECORDS' && !/^[0-9]{1,15}$/.test(value)) return undefined;
    headers.set(name, value);
  }
  return headers;
}

/** What may be declared as the number of records; `undefined` when a row is wrong. */
function recordsOf(
  lines: readonly string[],
  fields: readonly string[],
  headers: ReadonlyMap<string, string>,
): readonly number[] | undefined {
  const delimiter = headers.get('DELIMITER') ?? '|';
  const isOne = delimiter.length === 1 && !/[A-Za-z0-9 #-]/.test(delimiter);
  const isVisible = delimiter === '\t' || (delimiter > ' ' && delimiter < '\u007F');
  if (!isOne || !isVisible) return undefined;
  const program = headers.get('PROGRAMNAME') ?? 'getdata';
  if (/^(getdata|gethistory)$/.test(program) && fields.length === 0) return undefined;
  const rows = lines.filter(
    (line) => line !== '' && !(line.startsWith('#') && !line.includes(delimiter)),
  );
  const known =
    /^get(data|history|actions)$/.test(program) && headers.get('OUTPUTFORMAT') !== 'fixed';
  if (!known) return [rows.length];
  if (!rows.every((row) => row.endsWith(delimiter))) return undefined;
  const cells = rows.map((row) => row.slice(0, -1).split(delimiter));
  if (program === 'getactions') return cells.every(isAction) ? [rows.length] : undefined;
  if (program === 'gethistory' && (rows[0] ?? '').startsWith('START SECURITY'))
    return verticalRecords(cells);
  const extra = program === 'gethistory' ? 4 : 3;
  const anyWidth = headers.get('OUTPUTFORMAT') === 'bulklist';
  const right = cells.every((row) => isDataRow(row, extra, anyWidth ? undefined : fields.length));
  return right ? [rows.length] : undefined;
}

const INTEGER = /^-?[0-9]{1,9}$/;

function isDataRow(cells: readonly string[], extra: number, fields: number | undefined): boolean {
  const [, code = '', width = ''] = cells;
  if (!INTEGER.test(code) || !INTEGER.test(width)) return false;
  if (Number(code) !== 0 && Number(width) === 0 && cells.length >= 3 && cells.length <= extra)
    return true;
  return (
    cells.length === extra + Number(width) && (fields === undefined || Number(width) === fields)
  );
}

function isAction(cells: readonly string[]): boolean {
  const [, , , code = '', width = ''] = cells;
  const count = Number(width);
  return (
    INTEGER.test(code) &&
    INTEGER.test(width) &&
    cells.length === 5 + count &&
    (count === 0 || (count >= 4 && count % 2 === 0))
  );
}

function verticalRecords(rows: readonly (readonly string[])[]): readonly number[] | undefined {
  let open: readonly string[] | undefined;
  let [values, blocks] = [0, 0];
  for (const cells of rows) {
    const [first = '', second = '', third = '', fourth] = cells;
    const named = cells.length === 3 || cells.length === 4;
    if (first.startsWith('START SECURITY')) {
      if (open !== undefined || !named) return undefined;
      open = cells;
    } else if (first.startsWith('END SECURITY')) {
      if (open === undefined || !named || second !== open[1] || third !== open[2]) return undefined;
      if (fourth !== undefined && !INTEGER.test(fourth)) return undefined;
      open = undefined;
      blocks += 1;
    } else {
      if (open === undefined || cells.length !== 3 || first !== open[1]) return undefined;
      values += 1;
    }
  }
  return open === undefined ? [values, values + 2 * blocks] : undefined;
}

function isCsv(bytes: Buffer): boolean {
  const text = asUtf8(bytes);
  const records = text === undefined ? undefined : csvRecords(text);
  const [header, ...rows] = (records ?? []).filter(
    ({ cells }) => cells.length > 1 || cells[0] !== '',
  );
  if (header === undefined || !header.ended || header.cells.length < 2) return false;
  if (header.cells.includes('') || new Set(header.cells).size < header.cells.length) return false;
  const code = header.cells.indexOf('RC');
  return rows.every(
    ({ cells }) =>
      cells.length === header.cells.length && (code < 0 || INTEGER.test(cells[code] ?? '')),
  );
}

interface CsvRecord {
  readonly cells: readonly string[];
  readonly ended: boolean;
}

/** One field after the other, each by one pattern; `undefined` where none fits. */
function csvRecords(text: string): CsvRecord[] | undefined {
  const field = /("(?:[^"]|"")*"|[^",\n]*?)(,|\r?\n|\r?$)/gy;
  const records: CsvRecord[] = [];
  let cells: string[] = [];
  while (field.lastIndex < text.length || cells.length > 0) {
    const [whole, content = '', end = ''] = field.exec(text) ?? [];
    if (whole === undefined) return undefined;
    cells.push(content.startsWith('"') ? content.slice(1, -1).replaceAll('""', '"') : content);
    if (end === ',') continue;
    records.push({ cells, ended: end.endsWith('\n') });
    cells = [];
  }
  return records;
}

function isJson(bytes: Buffer): boolean {
  const text = asUtf8(bytes);
  if (text === undefined) return false;
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return false;
  }
  if (!Array.isArray(rows)) return false;
  const names = rows.map((row) => namesOf(row));
  const [first = ''] = names;
  if (rows.length > 0 && !first.split('\n').some((name) => name.startsWith('DL_'))) return false;
  return rows.every((row, i) => names[i] === first && hasCode(row as object));
}

/** The names of an object as one text; nothing that an object could have for anything else. */
function namesOf(row: unknown): string {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return ' ';
  return Object.keys(row).toSorted().join('\n');
}

function hasCode(row: object): boolean {
  if (!Object.hasOwn(row, 'RC')) return true;
  const code = (row as { readonly RC: unknown }).RC;
  return (typeof code === 'number' || typeof code === 'string') && INTEGER.test(String(code));
}

function asUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
