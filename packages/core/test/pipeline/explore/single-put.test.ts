import { expect, test } from 'vitest';
import { lieOf, type PutRules } from './single-put.ts';

const sound: PutRules = { order: 'sign, then ask', waits: true, judges: 'the end' };

test('one conditional PUT is safe by time where the store judges the signature at the end', () => {
  expect(lieOf(sound)).toBeUndefined();
});

test.each<[string, Partial<PutRules>]>([
  ['a takeover does not wait', { waits: false }],
  ['an attempt signs after it asked whether it is still the one', { order: 'ask, then sign' }],
  ['a request that began in time may end at any time', { judges: 'the beginning' }],
])('it is not where %s', (_, broken) => {
  const trace = lieOf({ ...sound, ...broken });
  expect(trace).toContain('the object is visible');
  expect(trace).toContain('the second sets it aside');
});
