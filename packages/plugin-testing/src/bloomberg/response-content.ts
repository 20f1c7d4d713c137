/** The content of a response to a request over REST: CSV, JSON, or the frame that SFTP has. */
import { returnCodeOf, type AskedSecurity } from './asked-security.ts';
import { businessDays, cellOf, DAY_MS, isHistorical, type Cell } from './market-data.ts';
import { cellText, replyFrame } from './reply-frame.ts';
import { nameOf, type StoredRequest } from './data-requests.ts';

export interface AskedContent {
  readonly account: string;
  readonly request: StoredRequest;
  readonly securities: readonly AskedSecurity[];
  readonly fields: readonly string[];
  /** The snapshot's time. */
  readonly nowMs: number;
}

export interface ResponseContent {
  /** Of the key. */
  readonly ending: 'bbg' | 'csv' | 'json';
  readonly body: string;
}

export function responseContent(asked: AskedContent): ResponseContent {
  const { '@type': type = 'MediaType', outputMediaType } = formattingOf(asked.request);
  if (type !== 'MediaType') return { ending: 'bbg', body: frameOf(asked) };
  const table = tableOf(asked);
  return outputMediaType === 'application/json'
    ? { ending: 'json', body: jsonText(table) }
    : { ending: 'csv', body: csvText(table) };
}

type Value = string | number | boolean | null;

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

type Formatting = { readonly [name: string]: unknown };

function formattingOf({ body }: StoredRequest): Formatting {
  return (body['formatting'] ?? {}) as Formatting;
}

function tableOf(asked: AskedContent): Table {
  const { fields, nowMs, request, securities } = asked;
  const id = request.identifier;
  const leading = [id, nameOf(request), new Date(nowMs).toISOString().slice(0, 19), 'Etc/UTC'];
  const extra = EXTRA_COLUMNS[request.type];
  const rows = securities.flatMap((security) =>
    bodyRows(asked, security).map((values) => [...leading, security.value, ...values]),
  );
  return { columns: [...LEADING_COLUMNS, ...extra, ...fields], rows };
}

const LEADING_COLUMNS = [
  'DL_REQUEST_ID',
  'DL_REQUEST_NAME',
  'DL_SNAPSHOT_START_TIME',
  'DL_SNAPSHOT_TZ',
  'IDENTIFIER',
  'RC',
];
/** Those of actions are this simulator's own: the true ones are not public. */
const EXTRA_COLUMNS: { readonly [type in StoredRequest['type']]: readonly string[] } = {
  ActionsRequest: ['ACTION_ID', 'MNEMONIC', 'FLAG'],
  DataRequest: [],
  HistoryRequest: ['DATE'],
};

/** From the return code on. */
function bodyRows(asked: AskedContent, security: AskedSecurity): Value[][] {
  const { fields, nowMs, request } = asked;
  const code = returnCodeOf(security);
  const nothing = [...EXTRA_COLUMNS[request.type], ...fields].map(() => null);
  if (code !== 0) return [[code, ...nothing]];
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const at = (day: number) => (field: string) => valueOf(cellOf(security, field, day));
  if (request.type === 'ActionsRequest') return [[0, '100000001', 'DVD_CASH', 'N']];
  if (request.type === 'DataRequest') return [[0, ...fields.map(at(today))]];
  return daysOf(request, today).map((day) => [
    0,
    dayText(day),
    ...fields.map((field) => (isHistorical(field) ? at(day)(field) : null)),
  ]);
}

function daysOf({ body }: StoredRequest, today: number): number[] {
  const { dateRange } = body['runtimeOptions'] as { readonly dateRange: DateRange };
  if ('days' in dateRange) return businessDays(today - (dateRange.days - 1) * DAY_MS, today);
  return businessDays(Date.parse(dateRange.startDate), Date.parse(dateRange.endDate));
}

/** What the schema has made sure of. */
type DateRange =
  { readonly days: number } | { readonly startDate: string; readonly endDate: string };

/** By the rules of XML Schema; what is missing is nothing, whyever. */
function valueOf(cell: Cell): Value {
  switch (cell.kind) {
    case 'number':
      return cell.value;
    case 'boolean':
      return cell.value;
    case 'date':
      return dayText(cell.dayMs);
    case 'missing':
      return null;
    default:
      return cellText(cell, 'yyyy-mm-dd');
  }
}

function dayText(dayMs: number): string {
  return new Date(dayMs).toISOString().slice(0, 10);
}

function csvText({ columns, rows }: Table): string {
  return [columns, ...rows].map((row) => `${row.map(csvValue).join(',')}\n`).join('');
}

function csvValue(value: Value): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonText({ columns, rows }: Table): string {
  const objects = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
  return JSON.stringify(objects);
}

const PROGRAMS: { readonly [type in StoredRequest['type']]: string } = {
  ActionsRequest: 'getactions',
  DataRequest: 'getdata',
  HistoryRequest: 'gethistory',
};

function frameOf({ account, fields, nowMs, request, securities }: AskedContent): string {
  const formatting = formattingOf(request);
  const { dateFormat = 'yyyymmdd', delimiter = '|', fileType } = formatting;
  const headers = new Map([
    ['PROGRAMNAME', PROGRAMS[request.type]],
    ['REPLYFILENAME', `${request.identifier}.bbg`],
    ['FIRMNAME', `dl${account}`],
    ['PROGRAMFLAG', 'adhoc'],
    ['DATEFORMAT', String(dateFormat)],
    ['DELIMITER', String(delimiter)],
  ]);
  if (request.type === 'HistoryRequest') {
    const days = daysOf(request, Math.floor(nowMs / DAY_MS) * DAY_MS);
    const range = [days.at(0) ?? nowMs, days.at(-1) ?? nowMs].map(dayText).join('|');
    headers.set('HIST_FORMAT', 'horizontal').set('DATERANGE', range.replaceAll('-', ''));
  }
  if (formatting['columnHeader'] === true) headers.set('COLUMNHEADER', 'yes');
  const pricingSource = formatting['displayPricingSource'] === true ? 'EX' : undefined;
  const frame = replyFrame(
    { headers, fields, securities, ...(pricingSource !== undefined && { pricingSource }) },
    { startedMs: nowMs, finishedMs: nowMs },
  );
  return fileType === 'windowsFileType' ? frame.replaceAll('\n', '\r\n') : frame;
}
