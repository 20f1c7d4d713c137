/** A `.req` file, read as strictly as Bloomberg reads it. */
import type { AskedSecurity } from './asked-security.ts';
import type { FrameRequest } from './reply-frame.ts';

/** Why a request file is refused, and where. */
export class RequestFileError extends Error {
  constructor(problem: string, lineNumber: number) {
    super(`${problem} (line ${lineNumber})`);
    this.name = 'RequestFileError';
  }
}

/** @throws RequestFileError */
export function parseRequestFile(text: string, account: string): FrameRequest {
  const lines = new Lines(text);
  lines.expect('START-OF-FILE');
  const headers = headersOf(lines, account);
  const fields = headers.get('PROGRAMNAME') === 'getactions' ? [] : fieldsOf(lines);
  const securities = securitiesOf(lines, headers.get('SECID'));
  lines.expect('END-OF-FILE');
  if (lines.next() !== undefined) throw lines.error('NOTHING MAY FOLLOW END-OF-FILE');
  return { headers, fields, securities };
}

/** `REPLYFILENAME`, wherever it stands; a refusal is sent under this name, too. */
export function replyNameIn(text: string): string | undefined {
  return /^REPLYFILENAME=(.+?)\r?$/m.exec(text)?.[1];
}

class Lines {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split(/\r?\n/);
  }

  /** The next line that is not blank. */
  next(): string | undefined {
    while (this.#lines[this.#at]?.trim() === '') this.#at += 1;
    return this.#lines[this.#at++];
  }

  peek(): string | undefined {
    const line = this.next();
    this.#at -= 1;
    return line;
  }

  expect(keyword: string): void {
    if (this.next() !== keyword) throw this.error(`${keyword} EXPECTED`);
  }

  /** The lines up to a keyword, which is consumed. */
  *until(keyword: string): Generator<string> {
    for (let line = this.next(); line !== keyword; line = this.next()) {
      if (line === undefined || KEYWORDS.has(line)) throw this.error(`${keyword} EXPECTED`);
      yield line;
    }
  }

  error(problem: string): RequestFileError {
    return new RequestFileError(problem, Math.min(this.#at, this.#lines.length));
  }
}

function headersOf(lines: Lines, account: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (let line = lines.peek(); line !== undefined && !KEYWORDS.has(line); line = lines.peek()) {
    const [, name, value] = /^([A-Z_]+)=(.+)$/.exec(lines.next() ?? '') ?? [];
    if (name === undefined || value === undefined) throw lines.error('NAME=VALUE EXPECTED');
    if (!HEADERS.has(name)) throw lines.error(`UNKNOWN HEADER ${name}`);
    if (headers.has(name)) throw lines.error(`HEADER ${name} IS DOUBLED`);
    const allowed = VALUES[name];
    if (allowed !== undefined && !allowed.test(value)) throw lines.error(`INVALID ${name}`);
    headers.set(name, value);
  }
  if (headers.get('FIRMNAME') !== account) throw lines.error('INVALID FIRMNAME');
  const program = headers.get('PROGRAMNAME') ?? 'getdata';
  if (!SIMULATED.has(program)) throw lines.error(`THIS SIMULATOR DOES NOT KNOW ${program}`);
  if (headers.get('OUTPUTFORMAT') === 'bulklist') {
    throw lines.error('THIS SIMULATOR DOES NOT KNOW bulklist');
  }
  if (program === 'gethistory' && !headers.has('DATERANGE'))
    throw lines.error('DATERANGE IS MISSING');
  return headers;
}

function fieldsOf(lines: Lines): string[] {
  lines.expect('START-OF-FIELDS');
  const fields: string[] = [];
  for (const line of lines.until('END-OF-FIELDS')) {
    if (!MNEMONIC.test(line)) throw lines.error('INVALID FIELD');
    fields.push(line);
    if (fields.length > MAX_FIELDS) throw lines.error('TOO MANY FIELDS');
  }
  if (fields.length === 0) throw lines.error('NO FIELDS');
  return fields;
}

function securitiesOf(lines: Lines, usualType: string | undefined): AskedSecurity[] {
  lines.expect('START-OF-DATA');
  const securities = [...lines.until('END-OF-DATA')].map((line) =>
    securityIn(line, usualType, lines),
  );
  if (securities.length === 0) throw lines.error('NO SECURITIES');
  return securities;
}

/** `identifier`, `identifier|type` or `identifier|type|n|fields…|values…|`. */
function securityIn(line: string, usualType: string | undefined, lines: Lines): AskedSecurity {
  const [value = '', ownType = '', count, ...rest] = line.split('|');
  const type = ownType === '' ? usualType : ownType;
  if (value.trim() === '') throw lines.error('IDENTIFIER EXPECTED');
  const security = { value, ...(type !== undefined && { type }) };
  if (count === undefined) return { ...security, overrides: [] };
  const n = /^\d{1,3}$/.test(count) ? Number(count) : -1;
  // A last, empty element: the line ends with the delimiter.
  if (n < 0 || rest.length !== 2 * n + 1 || rest.at(-1) !== '') {
    throw lines.error('OVERRIDES DO NOT MATCH THEIR NUMBER');
  }
  if (n > MAX_OVERRIDES) throw lines.error('TOO MANY OVERRIDES');
  const overrides = rest.slice(0, n).map((field, i) => ({ field, value: rest[n + i] ?? '' }));
  return { ...security, overrides };
}

/** The other programs are refused, so that nobody takes made-up layouts for theirs. */
const SIMULATED = new Set(['getactions', 'getdata', 'gethistory']);

const MAX_FIELDS = 500;
const MAX_OVERRIDES = 20;
const MNEMONIC = /^[A-Z0-9][A-Z0-9_]*$/;
const KEYWORDS = new Set([
  'END-OF-DATA',
  'END-OF-FIELDS',
  'END-OF-FILE',
  'START-OF-DATA',
  'START-OF-FIELDS',
  'START-OF-FILE',
]);

const YES_OR_NO = /^(yes|no)$/;
const VALUES: { readonly [header: string]: RegExp } = {
  ADJUSTED: YES_OR_NO,
  CLOSINGVALUES: YES_OR_NO,
  COLUMNHEADER: YES_OR_NO,
  COMPRESS: YES_OR_NO,
  DATEFORMAT: /^(yyyymmdd|mm\/dd\/yyyy|dd\/mm\/yyyy|ddmmyyyy|mmddyyyy)$/,
  DATERANGE: /^\d{8}\|\d{8}$/,
  DELIMITER: /^[^\w\s]$/,
  DERIVED: YES_OR_NO,
  DIFFFLAG: YES_OR_NO,
  HIST_FORMAT: /^(horizontal|vertical)$/,
  OUTPUTFORMAT: /^(bulklist|fixed)$/,
  PROGRAMFLAG: /^(adhoc|oneshot|daily|weekday|weekend|weekly|monthly)$/,
  PROGRAMNAME: /^(getdata|gethistory|getactions|getquotes|getallticks|getticks|getcompany)$/,
  REPLYFILENAME: /^[A-Za-z0-9_]{1,25}(\.[A-Za-z0-9]{1,8})?$/,
  RUNDATE: /^\d{8}$/,
  SECMASTER: YES_OR_NO,
  TIME: /^\d{4}$/,
};
const HEADERS = new Set([
  ...Object.keys(VALUES),
  'ACTIONS',
  'ACTIONS_DATE',
  'CORPORATE_ACTIONS',
  'CREDITRISK',
  'ESTIMATES',
  'FIRMNAME',
  'FUNDAMENTALS',
  'HISTORICAL',
  'HIST_PERIOD',
  'PRICING',
  'PRICING_SOURCE',
  'SECID',
  'SN',
  'USERNUMBER',
  'WS',
  'YELLOWKEY',
]);
