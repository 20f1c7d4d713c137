import { expect, test } from 'vitest';
import { requestText } from '../src/sftp/request-text.ts';
import { ReplyNames, AskedFile, replyNameOf, requestNameOf } from '../src/sftp/reply-names.ts';
import { checked, type Written } from './provider.ts';

const ASKED = {
  reply: 'px{date:MMdd}.out',
  headers: ['CLOSINGVALUES=yes', 'SECMASTER=yes'],
  fields: ['ID_BB_GLOBAL', 'PX_LAST'],
  securities: [
    'IBM US Equity',
    'US912810TM09|ISIN',
    { id: 'XS1234567890', type: 'ISIN', overrides: ['PRICING_SOURCE=BGN'] },
  ],
};

test('a request file is written as Bloomberg reads it', () => {
  expect(requestText(configOf(ASKED), 'px0115.out', 'dl123456')).toBe(
    [
      'START-OF-FILE',
      'FIRMNAME=dl123456',
      'PROGRAMNAME=getdata',
      'PROGRAMFLAG=adhoc',
      'REPLYFILENAME=px0115.out',
      'SECMASTER=yes',
      'CLOSINGVALUES=yes',
      '',
      'START-OF-FIELDS',
      'ID_BB_GLOBAL',
      'PX_LAST',
      'END-OF-FIELDS',
      '',
      'START-OF-DATA',
      'IBM US Equity',
      'US912810TM09|ISIN',
      'XS1234567890|ISIN|1|PRICING_SOURCE|BGN|',
      'END-OF-DATA',
      '',
      'END-OF-FILE',
      '',
    ].join('\n'),
  );
});

test.each([
  ['a header that nobody knows', { headers: ['SECMSTER=yes'] }, /SECMSTER/],
  ['a header that has a setting of its own', { headers: ['PROGRAMFLAG=daily'] }, /'programFlag'/],
  ['a header that is there twice', { headers: ['TIME=2200', 'TIME=2300'] }, /TIME is there twice/],
  ['no field', { fields: undefined }, /no field/],
  ['a security of a type that nobody knows', { securities: ['x|ISSN'] }, /security 1/],
])('%s is refused, and the request is named', (_, change, message) => {
  const write = () => requestText(configOf({ ...ASKED, ...change }), 'px0115.out', 'dl123456');
  expect(write).toThrow(message);
  expect(write).toThrow("'px{date:MMdd}.out'");
});

test('replies are known by their names, whatever accounts add to them', () => {
  const names = new ReplyNames([new AskedFile(configOf(ASKED), 'UTC')], undefined);
  for (const name of [
    'px0115.out',
    'px0115.out.gz',
    'px0115.out.20260115',
    'px0115.out.20260115.gz',
  ])
    expect(names.match(name)).toEqual({ reply: 'px0115.out' });
  expect(names.match('px0115.err')).toBeDefined();
  for (const name of ['px0115.req', 'ref.out', 'px0115.outer', 'px.out', 'px0115'])
    expect(names.match(name)).toBeUndefined();
});

test('a pattern adds files, and words for their keys', () => {
  const names = new ReplyNames(
    [new AskedFile(configOf(ASKED), 'UTC')],
    String.raw`^(?<asset>[a-z]+)_namr\.px$`,
  );
  expect(names.match('equity_namr.px')).toEqual({ reply: 'equity_namr.px', asset: 'equity' });
  expect(names.match('px0115.out')).toEqual({ reply: 'px0115.out' });
  expect(names.match('other.px')).toBeUndefined();
  expect(() => new ReplyNames([], '(')).toThrow(/no regular|not a regular/);
});

test('without requests and pattern everything but requests is ours', () => {
  const names = new ReplyNames([], undefined);
  expect(names.match('anything.px')).toBeDefined();
  expect(names.match('own.req')).toBeUndefined();
});

test('names lead from reply to request and back', () => {
  expect(requestNameOf('px0115.out')).toBe('px0115.req');
  expect(requestNameOf('px0115')).toBe('px0115.req');
  expect(replyNameOf('px0115.out.gz.pgp')).toBe('px0115.out');
});

function configOf(request: Written) {
  const [config] = checked({ requestFiles: [request] }).requestFiles ?? [];
  if (config === undefined) throw new Error('no request');
  return config;
}
