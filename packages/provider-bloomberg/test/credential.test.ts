import { isPluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { credentialOf, daysLeft, expectValid, parseCredential } from '../src/credential.ts';

const SECRET = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const DAY_MS = 86_400_000;
const END_MS = Date.UTC(2027, 6, 1);

test('a credential file gives id, key and end', () => {
  const file = { client_id: 'abc', client_secret: SECRET, name: 'octo', expiration_date: END_MS };
  const credential = parseCredential(JSON.stringify(file));
  expect(credential).toMatchObject({ clientId: 'abc', expiresMs: END_MS });
  expect(credential.key.toString('hex')).toBe(SECRET);
});

test.each([
  ['no JSON', `client_secret=${SECRET}`],
  ['no object', `["${SECRET}"]`],
  ['no secret', '{"client_id":"abc"}'],
  ['a secret that is not hexadecimal', `{"client_id":"abc","client_secret":"${SECRET}zz"}`],
  ['a secret of an odd length', `{"client_id":"abc","client_secret":"${SECRET}0"}`],
  ['no id', `{"client_id":" ","client_secret":"${SECRET}"}`],
  [
    'an end that is no number',
    `{"client_id":"abc","client_secret":"${SECRET}","expiration_date":"x"}`,
  ],
])('a file with %s is refused, and nothing of it is told', (_, text) => {
  const error = refusalOf(() => parseCredential(text));
  expect(error).toMatchObject({ type: 'validation', code: 'BAD_CREDENTIAL' });
  expect(error.cause).toBeUndefined();
  expect(error.message).not.toContain(SECRET.slice(0, 8));
});

test('a credential is good until the very millisecond of its end', () => {
  const credential = credentialOf('abc', SECRET, END_MS);
  expectValid(credential, END_MS - 1);
  expect(() => expectValid(credential, END_MS)).toThrow(/abc expired on 2027-07-01/);
  expectValid(credentialOf('abc', SECRET), END_MS + DAY_MS);
});

test('the days that are left are whole ones', () => {
  const credential = credentialOf('abc', SECRET, END_MS);
  expect(daysLeft(credential, END_MS - 30 * DAY_MS)).toBe(30);
  expect(daysLeft(credential, END_MS - 30 * DAY_MS + 1)).toBe(29);
  expect(daysLeft(credential, END_MS + 1)).toBe(-1);
  expect(daysLeft(credentialOf('abc', SECRET), 0)).toBeUndefined();
});

function refusalOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (isPluginError(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
