import { expect, test } from 'vitest';
import { requestFile, type RequestFile } from '../../src/formats/request-file.ts';

const REQUEST: RequestFile = {
  headers: {
    FIRMNAME: 'dl123456',
    REPLYFILENAME: 'px0115a.out',
    DATEFORMAT: 'yyyymmdd',
    DELIMITER: '|',
    SECMASTER: 'yes',
    CLOSINGVALUES: 'yes',
    DERIVED: 'yes',
    COMPRESS: 'yes',
  },
  fields: ['ID_BB_GLOBAL', 'NAME', 'PX_LAST', 'CRNCY'],
  securities: [
    { identifier: 'IBM US Equity' },
    { identifier: 'US912810TM09', type: 'ISIN' },
    { identifier: 'XS1234567890', type: 'ISIN', overrides: { PRICING_SOURCE: 'BGN' } },
  ],
};

test('a request is written as Bloomberg documents it, ad hoc unless somebody says otherwise', () => {
  expect(requestFile(REQUEST)).toBe(`START-OF-FILE
FIRMNAME=dl123456
PROGRAMNAME=getdata
PROGRAMFLAG=adhoc
REPLYFILENAME=px0115a.out
DATEFORMAT=yyyymmdd
DELIMITER=|
SECMASTER=yes
CLOSINGVALUES=yes
DERIVED=yes
COMPRESS=yes

START-OF-FIELDS
ID_BB_GLOBAL
NAME
PX_LAST
CRNCY
END-OF-FIELDS

START-OF-DATA
IBM US Equity
US912810TM09|ISIN
XS1234567890|ISIN|1|PRICING_SOURCE|BGN|
END-OF-DATA

END-OF-FILE
`);
});

test('several overrides name their fields first; actions need no fields', () => {
  const securities = [{ identifier: 'X Corp', overrides: { A: '1', B: '2' } }];
  expect(requestFile({ ...REQUEST, securities })).toContain('\nX Corp||2|A|B|1|2|\n');
  const headers = { ...REQUEST.headers, PROGRAMNAME: 'getactions' };
  expect(requestFile({ ...REQUEST, headers, fields: [] })).not.toContain('FIELDS');
});

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `F${i}`);
const with_ = (headers: object): RequestFile => ({
  ...REQUEST,
  headers: { ...REQUEST.headers, ...headers },
});
const of = (...securities: RequestFile['securities']): RequestFile => ({ ...REQUEST, securities });

test.each<[string, RequestFile, RegExp]>([
  ['an unknown header', with_({ SHOESIZE: '43' }), /"SHOESIZE" is no header/],
  [
    'a header that hides another',
    with_({ PRICING_SOURCE: 'BGN\nSECMASTER=yes' }),
    /PRICING_SOURCE has a bad value/,
  ],
  ['no account', { ...REQUEST, headers: { REPLYFILENAME: 'a' } }, /FIRMNAME is missing/],
  ['an unknown program', with_({ PROGRAMNAME: 'getmoney' }), /PROGRAMNAME has a bad value/],
  [
    'a reply name that leads elsewhere',
    with_({ REPLYFILENAME: '../x.out' }),
    /REPLYFILENAME has a bad value/,
  ],
  [
    'a reply name that is too long',
    with_({ REPLYFILENAME: 'x'.repeat(26) }),
    /REPLYFILENAME has a bad value/,
  ],
  ['no fields', { ...REQUEST, fields: [] }, /no field is asked for/],
  ['501 fields', { ...REQUEST, fields: many(501) }, /501 fields are asked for/],
  ['a field twice', { ...REQUEST, fields: ['A', 'B', 'A'] }, /field A is asked for twice/],
  [
    'a field that is none',
    { ...REQUEST, fields: ['A', 'END-OF-FIELDS'] },
    /field 2 is no mnemonic/,
  ],
  ['no securities', of(), /no security is asked for/],
  [
    'a security with a line end',
    of({ identifier: 'IBM\nEND-OF-DATA' }),
    /security 1 has a bad identifier/,
  ],
  [
    'a security that is a marker',
    of({ identifier: 'END-OF-DATA' }),
    /security 1 has a bad identifier/,
  ],
  [
    'a security with a delimiter',
    of({ identifier: 'IBM|ISIN' }),
    /security 1 has a bad identifier/,
  ],
  [
    'an empty security',
    of({ identifier: 'IBM US Equity' }, { identifier: '' }),
    /security 2 has a bad/,
  ],
  [
    '21 overrides',
    of({ identifier: 'X', overrides: Object.fromEntries(many(21).map((f) => [f, '1'])) }),
    /21 overrides; Bloomberg takes 20/,
  ],
  [
    'a broken override',
    of({ identifier: 'X', overrides: { A: '1|2' } }),
    /security 1 has a bad override/,
  ],
])('a request with %s is refused', (_, request, expected) => {
  expect(() => requestFile(request)).toThrow(expected);
});

test('500 fields and 20 overrides are allowed', () => {
  const overrides = Object.fromEntries(many(20).map((field) => [field, '1']));
  expect(() =>
    requestFile({ ...REQUEST, fields: many(500), securities: [{ identifier: 'X', overrides }] }),
  ).not.toThrow();
});
