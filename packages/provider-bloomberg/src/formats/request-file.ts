import { PluginError } from '@octo/plugin-api';

/** What a `.req` file asks for. */
export interface RequestFile {
  /** `FIRMNAME` and `REPLYFILENAME` are needed; `PROGRAMNAME` is `getdata` and `PROGRAMFLAG` `adhoc` by default. */
  readonly headers: { readonly [header in RequestHeader]?: string };
  /** Mnemonics. May be empty for `getactions` only. */
  readonly fields: readonly string[];
  readonly securities: readonly RequestedSecurity[];
}

export interface RequestedSecurity {
  /** Such as `IBM US Equity`, or an ISIN with `type`. */
  readonly identifier: string;
  readonly type?: IdentifierType;
  /** Values by override field. */
  readonly overrides?: { readonly [field: string]: string };
}

/** The order in which a request file names them. */
export const REQUEST_HEADERS = [
  'FIRMNAME',
  'PROGRAMNAME',
  'PROGRAMFLAG',
  'REPLYFILENAME',
  'DATEFORMAT',
  'DELIMITER',
  'ADJUSTED',
  'SECMASTER',
  'CLOSINGVALUES',
  'DERIVED',
  'FUNDAMENTALS',
  'HISTORICAL',
  'CORPORATE_ACTIONS',
  'COMPRESS',
  'SECID',
  'YELLOWKEY',
  'PRICING_SOURCE',
  'DATERANGE',
  'HIST_FORMAT',
  'HIST_PERIOD',
  'OUTPUTFORMAT',
  'ACTIONS',
  'ACTIONS_DATE',
  'DIFFFLAG',
  'TIME',
  'RUNDATE',
  'USERNUMBER',
  'SN',
  'WS',
] as const;
export type RequestHeader = (typeof REQUEST_HEADERS)[number];

export const IDENTIFIER_TYPES = [
  'TICKER',
  'ISIN',
  'CUSIP',
  'SEDOL',
  'CINS',
  'BB_GLOBAL',
  'BB_UNIQUE',
  'WPK',
  'COMMON_NUMBER',
  'CATS',
] as const;
export type IdentifierType = (typeof IDENTIFIER_TYPES)[number];

/** Bloomberg refuses requests with more. */
export const MAX_REQUEST_FIELDS = 500;
export const MAX_OVERRIDES = 20;

/**
 * The text of a `.req` file.
 * @throws PluginError `validation` `BAD_REQUEST` for whatever Bloomberg would refuse, or would read in another way
 */
export function requestFile({ headers, fields, securities }: RequestFile): string {
  const all = withDefaults(headers);
  checkHeaders(all);
  checkFields(fields, all);
  if (securities.length === 0) throw bad('no security is asked for');
  const rows = securities.map((security, index) => row(security, index));
  const fieldLines = all['PROGRAMNAME'] === 'getactions' && fields.length === 0 ? [] : fields;
  return [
    'START-OF-FILE',
    ...REQUEST_HEADERS.filter((name) => all[name] !== undefined).map((n) => `${n}=${all[n]}`),
    '',
    ...(fieldLines.length > 0 ? ['START-OF-FIELDS', ...fieldLines, 'END-OF-FIELDS', ''] : []),
    'START-OF-DATA',
    ...rows,
    'END-OF-DATA',
    '',
    'END-OF-FILE',
    '',
  ].join('\n');
}

function withDefaults(headers: RequestFile['headers']): RequestFile['headers'] {
  return { PROGRAMNAME: 'getdata', PROGRAMFLAG: 'adhoc', ...headers };
}

/** What a value must look like; a header that is not here may be any line of printable ASCII. */
const VALUES: { readonly [header in RequestHeader]?: RegExp } = {
  FIRMNAME: /^[A-Za-z0-9]{1,20}$/,
  PROGRAMNAME: /^(getdata|gethistory|getactions|getquotes|getallticks|getticks|getcompany)$/,
  PROGRAMFLAG: /^(adhoc|oneshot|daily|weekday|weekend|weekly|monthly)$/,
  REPLYFILENAME: /^[A-Za-z0-9_]{1,25}(\.[A-Za-z0-9_]{1,10})*$/,
  DELIMITER: /^[\t!"$-,./:-@[-`{-~]$/,
  DATEFORMAT: /^[A-Za-z/-]{6,12}$/,
  SECMASTER: /^(yes|no)$/,
  CLOSINGVALUES: /^(yes|no)$/,
  DERIVED: /^(yes|no)$/,
  FUNDAMENTALS: /^(yes|no)$/,
  HISTORICAL: /^(yes|no)$/,
  CORPORATE_ACTIONS: /^(yes|no)$/,
  COMPRESS: /^(yes|no)$/,
  DIFFFLAG: /^(yes|no)$/,
  DATERANGE: /^\d{8}\|\d{8}$/,
  HIST_FORMAT: /^(horizontal|vertical)$/,
  OUTPUTFORMAT: /^(bulklist|fixed)$/,
  YELLOWKEY: /^(Comdty|Equity|Muni|Pfd|M-Mkt|Govt|Corp|Index|Curncy|Mtge)$/,
  SECID: new RegExp(`^(${IDENTIFIER_TYPES.join('|')})$`),
  RUNDATE: /^\d{8}$/,
  USERNUMBER: /^\d{1,12}$/,
};

function checkHeaders(headers: { readonly [name: string]: string | undefined }): void {
  for (const needed of ['FIRMNAME', 'REPLYFILENAME'])
    if (headers[needed] === undefined) throw bad(`the header ${needed} is missing`);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const known = REQUEST_HEADERS.find((header) => header === name);
    if (known === undefined) throw bad(`${JSON.stringify(name)} is no header of a request`);
    const pattern = VALUES[known] ?? PRINTABLE;
    if (!pattern.test(value) || !isOneLine(value)) throw bad(`the header ${name} has a bad value`);
  }
}

function checkFields(fields: readonly string[], headers: RequestFile['headers']): void {
  if (fields.length === 0 && headers.PROGRAMNAME !== 'getactions')
    throw bad('no field is asked for');
  if (fields.length > MAX_REQUEST_FIELDS)
    throw bad(`${fields.length} fields are asked for; split the request at ${MAX_REQUEST_FIELDS}`);
  const wrong = fields.findIndex((field) => !/^[A-Z0-9][A-Z0-9_]{0,59}$/.test(field));
  if (wrong >= 0) throw bad(`field ${wrong + 1} is no mnemonic`);
  const twice = fields.findIndex((field, index) => fields.indexOf(field) !== index);
  if (twice >= 0) throw bad(`the field ${fields[twice]} is asked for twice`);
}

/** `identifier`, `identifier|type`, or with overrides `identifier|type|n|fields…|values…|`. */
function row({ identifier, type, overrides = {} }: RequestedSecurity, index: number): string {
  const at = `security ${index + 1}`;
  const names = Object.keys(overrides);
  const values = Object.values(overrides);
  if (!isCell(identifier) || KEYWORDS.test(identifier)) throw bad(`${at} has a bad identifier`);
  if (type !== undefined && !IDENTIFIER_TYPES.includes(type))
    throw bad(`${at} has an unknown type of identifier`);
  if (names.length > MAX_OVERRIDES)
    throw bad(`${at} has ${names.length} overrides; Bloomberg takes ${MAX_OVERRIDES}`);
  if (![...names, ...values].every(isCell)) throw bad(`${at} has a bad override`);
  if (names.length === 0) return type === undefined ? identifier : `${identifier}|${type}`;
  return `${[identifier, type ?? '', names.length, ...names, ...values].join('|')}|`;
}

const PRINTABLE = /^[\x20-\x7e]{1,200}$/;
/** A row of the data of a request is always divided by `|`, whatever the reply is to use. */
const CELL = /^[\x21-\x7b}~](?:[\x20-\x7b}~]{0,98}[\x21-\x7b}~])?$/;
const KEYWORDS = /^(#|(START|END)-OF-)/;

function isOneLine(text: string): boolean {
  return !/[\r\n]/.test(text);
}

function isCell(text: string): boolean {
  return CELL.test(text);
}

function bad(what: string): PluginError {
  return new PluginError('validation', `${what}; correct the request`, { code: 'BAD_REQUEST' });
}
