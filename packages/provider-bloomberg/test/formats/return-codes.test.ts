import { expect, test } from 'vitest';
import { returnCode } from '../../src/formats/return-codes.ts';

test.each([
  [0, undefined],
  [10, 'validation'],
  [11, 'auth'],
  [123, 'auth'],
  [988, 'provider_down'],
  [990, 'provider_down'],
  [994, 'auth'],
  [996, 'validation'],
  [-14, 'validation'],
])('return code %i is of type %s', (code, type) => {
  expect(returnCode(code).type).toBe(type);
});

test('a code that Bloomberg does not document is unknown', () => {
  expect(returnCode(77)).toEqual({ meaning: 'unknown', type: 'validation' });
});
