import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { errorFields } from '../../src/observe/describe-error.ts';
import { safeFields } from '../../src/observe/safe-fields.ts';
import { Secret } from '../../src/observe/secret.ts';

const value = 'correct horse battery staple';
const secret = new Secret(value);
const holder = { deep: { secret, list: [secret], map: new Map([['key', secret]]) } };

test.each([
  ['String', String(secret)],
  ['a template', `x ${secret as unknown as string}`],
  ['a sum', 'x' + (secret as unknown as string)],
  ['JSON', JSON.stringify(holder)],
  ['inspect', inspect(holder, { depth: 9, showHidden: true, getters: true })],
  ['format', format('%s %o %O %j', secret, secret, holder, holder)],
  ['a log line', JSON.stringify(safeFields(holder, (text) => text))],
  ['an error', JSON.stringify(errorFields(new Error(`failed with ${String(secret)}`)))],
  ['its keys', JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret)])],
  ['a copy', JSON.stringify(Object.assign({}, secret))],
])('a secret does not show by %s', (_, text) => {
  expect(text).not.toContain('correct horse');
  expect(text).not.toContain(Buffer.from(value).toString('base64'));
});

test('who needs it gets it, as what it was', () => {
  expect(secret.reveal()).toBe(value);
  const bytes = Buffer.from(value);
  expect(new Secret(bytes).reveal()).toBe(bytes);
});
