import { expect, test } from 'vitest';
import { describeError } from '../../src/observe/describe-error.ts';
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
  ['lower-case URL encoding', 'p%40ss%20w%c3%b6rd%2f%c3%a9'],
  ['form encoding', encodeURIComponent('p@ss wörd/é').replaceAll('%20', '+')],
])('a secret is hidden in %s', (_, spelling) => {
  expect(redactorOf('p@ss wörd/é').redact(`<${spelling}`)).toMatch(/^<\[secret\]=*$/);
});

test.each(
  ['', 'u', 'us', 'usr'].flatMap((before) => ['', '!', '!!'].map((after) => [before, after])),
)('of a secret between %j and %j in base64 at most the edges are left', (before, after) => {
  const secret = 'c0rrect/h0rse+b?ttery~';
  for (const encoding of ['base64', 'base64url'] as const) {
    const text = Buffer.from(before + secret + after).toString(encoding);
    expect(redactorOf(secret).redact(text)).toMatch(/^[\w+/-]{0,4}\[secret\][\w+/-]{0,4}=*$/);
  }
});

test('the password of HTTP basic authentication is hidden', () => {
  const header = `Basic ${Buffer.from('octo:hunter2-hunter2').toString('base64')}`;
  const shown = redactorOf('hunter2-hunter2').redact(header);
  const left = Buffer.from(shown.split('[secret]')[0]?.slice('Basic '.length) ?? '', 'base64');
  expect(left.toString()).toBe('octo:');
});

test('a short secret in the middle of base64 does not harm other text', () => {
  const piece = Buffer.from('pass1').toString('base64').slice(0, 6);
  expect(redactorOf('pass1').redact(`${piece}-other`)).toBe(`${piece}-other`);
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

test.each(['correct horse battery', 'correct horse', 'corr'])(
  'of a secret that was cut its beginning %j is hidden',
  (beginning) => {
    const redactor = redactorOf('short-one', 'correct horse battery');
    expect(redactor.redact(`it is ${beginning}…`)).toBe('it is [secret]…');
  },
);

test('what only looks like the beginning of a secret is left alone', () => {
  const redactor = redactorOf('correct horse battery');
  expect(redactor.redact('it is corr')).toBe('it is corr');
  expect(redactor.redact('it is cor…')).toBe('it is cor…');
  expect(redactor.redact('correct house…')).toBe('correct house…');
});

test('the beginning of a secret at the end of a long error is hidden', () => {
  const message = describeError(new Error(`${'x'.repeat(400)} ${'s3cr3t-'.repeat(1000)}`));
  expect(message).toMatch(/s3cr3t-.*…$/);
  expect(redactorOf('s3cr3t-'.repeat(1000)).redact(message)).not.toContain('s3cr3t');
});
