import { expect, test } from 'vitest';
import { desKeyOf, uuDesEncode } from '../../src/bloomberg/uu-des.ts';

test.for([
  ['foo', 'b37597adc21358f1'],
  ['A1b2C3d4', '43baa1da4a16b0f2'],
  ['longer-than-eight-chars', '25cbd589499210bf'],
  ['x'.repeat(17), 'a7ef625bdadc20f8'],
])('the password %s gives the key of OpenSSL', ([password, key]) => {
  expect(desKeyOf(password ?? '').toString('hex')).toBe(key);
});

test('a last block always follows, full ones too', () => {
  const blocksOf = (bytes: number) => {
    const [, line = ''] = uuDesEncode(new Uint8Array(bytes), 'foo', 'a').split('\n');
    return (line.charCodeAt(0) - 32) / 8;
  };
  expect([0, 1, 7, 8, 9, 16].map(blocksOf)).toEqual([1, 1, 1, 2, 2, 3]);
});
