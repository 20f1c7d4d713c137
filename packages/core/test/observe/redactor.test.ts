import { expect, test } from 'vitest';
import { Redactor } from '../../src/observe/redactor.ts';

function redactorOf(...secrets: string[]) {
  const redactor = new Redactor();
  redactor.add(secrets);
  return redactor;
}

test('a secret is hidden wherever it stands', () => {
  expect(redactorOf('hunter2').redact('a hunter2, hunter2.')).toBe('a [secret], [secret].');
});

test.each([
  ['base64', Buffer.from('p@ss wörd/é').toString('base64')],
  ['base64 without padding', Buffer.from('p@ss wörd/é').toString('base64').replaceAll('=', '')],
  ['base64url', Buffer.from('p@ss wörd/é').toString('base64url')],
  ['hex', Buffer.from('p@ss wörd/é').toString('hex')],
  ['upper-case hex', Buffer.from('p@ss wörd/é').toString('hex').toUpperCase()],
  ['URL encoding', encodeURIComponent('p@ss wörd/é')],
  ['form encoding', encodeURIComponent('p@ss wörd/é').replaceAll('%20', '+')],
])('a secret is hidden in %s', (_, spelling) => {
  expect(redactorOf('p@ss wörd/é').redact(`<${spelling}`)).toMatch(/^<\[secret\]=*$/);
});

test('a secret is hidden inside JSON', () => {
  expect(redactorOf('a"b\\c\nd').redact(JSON.stringify({ x: 'a"b\\c\nd' }))).toBe(
    '{"x":"[secret]"}',
  );
});

test('the longer of two secrets goes first', () => {
  expect(redactorOf('pass', 'password').redact('password pass')).toBe('[secret] [secret]');
});

test('each line of a key is a secret of its own', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n';
  expect(redactorOf(key).redact('at line 2: MIIEvQIBADANBgkq')).toBe('at line 2: [secret]');
});

test('what is too short to hide is left alone', () => {
  expect(redactorOf('abc', '', '    ', 'x\nyes\nz').redact('abc yes x    z')).toBe(
    'abc yes x    z',
  );
});

test('secrets are added as they become known', () => {
  const redactor = redactorOf('first');
  redactor.add(['second']);
  expect(redactor.redact('first second')).toBe('[secret] [secret]');
});
