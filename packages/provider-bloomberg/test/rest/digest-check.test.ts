import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { DigestCheck } from '../../src/rest/digest-check.ts';

const CONTENT = Buffer.from('IDENTIFIER,RC\nIBM US Equity,0\n');
const SENT = Buffer.from('as it was sent');

test.each([
  ['sha512', 'base64', 'decoded'],
  ['sha512', 'hex', 'decoded'],
  ['SHA-512', 'base64', 'encoded'],
  ['sha256', 'base64', 'decoded'],
  ['sha-384', 'hex', 'encoded'],
] as const)('%s in %s of what is %s is taken', (name, encoding, over) => {
  const algorithm = name.toLowerCase().replace('-', '');
  const bytes = over === 'decoded' ? CONTENT : SENT;
  const digest = createHash(algorithm).update(bytes).digest(encoding);
  expect(checked(`${name}=${digest}`)).toBe(over);
});

test('a digest of other bytes is refused', () => {
  const digest = createHash('sha512').update('other').digest('base64');
  expect(() => checked(`sha512=${digest}`)).toThrow(/'a\.csv' does not have the sha512/);
});

test('of several digests the first that is known counts', () => {
  const digest = createHash('sha512').update(CONTENT).digest('base64');
  expect(checked(`md5=AAAA,sha512=${digest}`)).toBe('decoded');
});

test.each([undefined, '', 'md5=1B2M2Y8AsgTpgAmY7PhCfg==', 'sha512=tooshort', 'nonsense'])(
  'nothing is promised by %s',
  (header) => {
    expect(checked(header)).toBe('unchecked');
  },
);

function checked(header: string | undefined): string {
  const check = new DigestCheck(header);
  for (const byte of CONTENT) check.decoded(Buffer.of(byte));
  check.encoded(SENT);
  return check.finish('a.csv');
}
