/** The text of a reply to a `.req` file, and of a `.bbg` response: one frame, as Bloomberg lays it out. */
import { returnCodeOf, type AskedSecurity } from './asked-security.ts';
import { businessDays, cellOf, isHistorical, type Cell } from './market-data.ts';

export interface FrameRequest {
  /** The headers of the request, in its order; they are echoed. */
  readonly headers: ReadonlyMap<string, string>;
  readonly fields: readonly string[];
  readonly securities: readonly AskedSecurity[];
  /** Shown in each row of a horizontal history, before the date. */
  readonly pricingSource?: string;
}

export interface FrameOptions {
  readonly startedMs: number;
  readonly finishedMs: number;
  /** Whether the rows are counted after them, and how. Default `absent`. */
  readonly dataRecords?: 'absent' | 'right' | 'wrong';
  /** The frame stops after `END-OF-DATA`, or inside the rows. */
  readonly cut?: 'before END-OF-FILE' | 'inside the data';
}

export function replyFrame(request: FrameRequest, options: FrameOptions): string {
  const { cut, startedMs } = options;
  const head = headOf(request, startedMs);
  const rows = rowsOf(request, startedMs);
  if (cut === 'inside the data') {
    const half = [...head, ...rows.slice(0, Math.ceil(rows.length / 2))].join('\n');
    return half.slice(0, -3);
  }
  const tail = cut === undefined ? tailOf(options, rows.length) : [];
  return `${[...head, ...rows, 'END-OF-DATA', ...tail].join('\n')}\n`;
}

function tailOf({ dataRecords = 'absent', finishedMs }: FrameOptions, rows: number): string[] {
  const counted = dataRecords === 'wrong' ? rows + 1 : rows;
  return [
    ...(dataRecords === 'absent' ? [] : [`DATARECORDS=${counted}`]),
    `TIMEFINISHED=${newYorkTime(finishedMs)}`,
    'END-OF-FILE',
  ];
}

function headOf({ fields, headers }: FrameRequest, startedMs: number): string[] {
  const runDate = new Date(startedMs).toISOString().slice(0, 10).replaceAll('-', '');
  return [
    'START-OF-FILE',
    `RUNDATE=${runDate}`,
    ...[...headers].map(([name, value]) => `${name}=${value}`),
    '',
    'START-OF-FIELDS',
    ...fields,
    'END-OF-FIELDS',
    '',
    `TIMESTARTED=${newYorkTime(startedMs)}`,
    'START-OF-DATA',
  ];
}

function rowsOf(request: FrameRequest, nowMs: number): string[] {
  const titled = request.headers.get('COLUMNHEADER') === 'yes';
  return [...(titled ? titleRows(request) : []), ...bodyRows(request, nowMs)];
}

/** The titles of the columns stand in the first row of getdata; other programs have none. */
function titleRows(request: FrameRequest): string[] {
  const program = request.headers.get('PROGRAMNAME') ?? 'getdata';
  if (program !== 'getdata') return [];
  return [joinerOf(request)(['SECURITIES', 'ERROR CODE', 'NUM FLDS', ...request.fields])];
}

function bodyRows(request: FrameRequest, nowMs: number): string[] {
  const program = request.headers.get('PROGRAMNAME') ?? 'getdata';
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return request.securities.flatMap((security) => {
    const table = {
      ...request,
      security,
      today,
      join: joinerOf(request),
      format: formatOf(request),
    };
    if (program === 'gethistory') return historyRows(table);
    if (program === 'getactions') return actionRows(table);
    return [dataRow(table)];
  });
}

interface Table extends FrameRequest {
  readonly security: AskedSecurity;
  /** Midnight UTC. */
  readonly today: number;
  readonly join: (cells: readonly (string | number)[]) => string;
  readonly format: (cell: Cell) => string;
}

function dataRow({ fields, format, join, security, today }: Table): string {
  const code = returnCodeOf(security);
  const values = fields.map((field) => (code === 0 ? format(cellOf(security, field, today)) : ' '));
  return join([security.value, code, fields.length, ...values]);
}

function historyRows(table: Table): string[] {
  const days = daysOf(table.headers, table.today);
  if (table.headers.get('HIST_FORMAT') === 'horizontal') return horizontalRows(table, days);
  return table.fields.flatMap((field) => verticalRows(table, field, days));
}

function horizontalRows(table: Table, days: readonly number[]): string[] {
  const { fields, format, join, pricingSource, security } = table;
  const code = returnCodeOf(security);
  const blank = fields.map(() => ' ');
  const source = pricingSource === undefined ? [] : [code === 0 ? pricingSource : ' '];
  const row = (date: string, values: readonly string[]) =>
    join([security.value, code, fields.length, ...source, date, ...values]);
  if (code !== 0) return [row(' ', blank)];
  return days.map((day) => {
    const values = fields.map((field) => format(historyCell(security, field, day)));
    return row(format({ kind: 'date', dayMs: day }), values);
  });
}

/** The return code stands in the line that ends the block. */
function verticalRows(table: Table, field: string, days: readonly number[]): string[] {
  const { format, join, security } = table;
  const code = returnCodeOf(security) || (isHistorical(field) ? 0 : -14);
  const rows = code === 0 ? days : [];
  return [
    join(['START SECURITY', security.value, field]),
    ...rows.map((day) => {
      const value = format(historyCell(security, field, day));
      return join([security.value, format({ kind: 'date', dayMs: day }), value]);
    }),
    join(['END SECURITY', security.value, field, code]),
  ];
}

function historyCell(security: AskedSecurity, field: string, day: number): Cell {
  const cell: Cell = isHistorical(field) ? cellOf(security, field, day) : NOT_AVAILABLE;
  // Unlike getdata, gethistory writes no more decimals than it needs.
  return cell.kind === 'number' ? { kind: 'text', text: String(cell.value) } : cell;
}

/** One cash dividend for each security: the columns that identify it, then names and values in turn. */
function actionRows({ format, join, security, today }: Table): string[] {
  const code = returnCodeOf(security);
  if (code !== 0) return [join([security.value, ' ', ' ', code, 0])];
  const identity = format(cellOf(security, 'ID_BB_UNIQUE', today));
  const named = [
    ['CP_DVD_TYP', '1000'],
    ['CP_GROSS_AMT', '0.25'],
    ['CP_PAY_DT', format({ kind: 'date', dayMs: today + 30 * DAY_MS })],
  ].flat();
  const name = format(cellOf(security, 'NAME', today));
  const event = ['100000001', 'DVD_CASH', 'N', name, ...named];
  return [join([security.value, identity, '100001', 0, event.length, ...event])];
}

function daysOf(headers: ReadonlyMap<string, string>, today: number): number[] {
  const [from, to] = (headers.get('DATERANGE') ?? '').split('|').map(dayOf);
  return businessDays(from ?? today, to ?? today);
}

function dayOf(text: string): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(text) ?? [];
  return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day));
}

function joinerOf({ headers }: FrameRequest): Table['join'] {
  const delimiter = headers.get('DELIMITER') ?? '|';
  return (cells) => cells.map((cell) => `${cell}${delimiter}`).join('');
}

function formatOf({ headers }: FrameRequest): Table['format'] {
  const dateFormat = headers.get('DATEFORMAT') ?? 'mm/dd/yyyy';
  return (cell) => cellText(cell, dateFormat);
}

/** A value as it stands in a frame. @param dateFormat such as `yyyymmdd` */
export function cellText(cell: Cell, dateFormat: string): string {
  switch (cell.kind) {
    case 'number':
      return cell.value.toFixed(cell.decimals);
    case 'boolean':
      return cell.value ? 'Y' : 'N';
    case 'date':
      return dateText(cell.dayMs, dateFormat);
    case 'missing':
      return cell.token;
    case 'bulk':
      return bulkText(cell.rows, dateFormat);
    default:
      return cell.text;
  }
}

/** `;dimensions;rows;columns;type;value;…;`, without the columns when there is only one. */
function bulkText(rows: readonly (readonly Cell[])[], dateFormat: string): string {
  const columns = rows[0]?.length ?? 0;
  const shape = columns === 1 ? [1, rows.length] : [2, rows.length, columns];
  const values = rows.flat().flatMap((cell) => [bulkType(cell), cellText(cell, dateFormat)]);
  return `;${[...shape, ...values].join(';')};`;
}

function bulkType(cell: Cell): number {
  if (cell.kind === 'date') return 5;
  return cell.kind === 'number' ? 3 : 1;
}

function dateText(dayMs: number, format: string): string {
  const [year = '', month = '', day = ''] = new Date(dayMs).toISOString().slice(0, 10).split('-');
  return format.replace('yyyy', year).replace('mm', month).replace('dd', day);
}

/** `Thu Jan 15 11:19:10 EST 2026` */
function newYorkTime(ms: number): string {
  const utc = new Date(ms - 5 * 60 * 60 * 1000).toUTCString();
  const [, weekday, day, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(utc) ?? [];
  return `${weekday} ${month} ${day} ${time} EST ${year}`;
}

const NOT_AVAILABLE: Cell = { kind: 'missing', token: 'N.A.' };
const DAY_MS = 24 * 60 * 60 * 1000;
