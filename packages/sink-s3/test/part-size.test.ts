import { expect, test } from 'vitest';
import { partSizes } from '../src/part-size.ts';
import { MIB } from './open-sink.ts';

const GIB = 1024 ** 3;
const TIB = 1024 ** 4;

/** How many parts an object takes, and the largest of them. */
function partsFor(
  bytes: number,
  size: (number: number) => number,
): { parts: number; largest: number } {
  let left = bytes;
  let parts = 0;
  let largest = 0;
  while (left > 0) {
    parts += 1;
    largest = Math.max(largest, size(parts));
    left -= size(parts);
  }
  return { parts, largest };
}

test('parts are as configured up to 60 GiB of unknown size', () => {
  expect(partsFor(60 * GIB, partSizes(16 * MIB, undefined))).toEqual({
    parts: 3840,
    largest: 16 * MIB,
  });
});

test.each([100 * GIB, TIB, 4 * TIB])(
  '%i bytes of unknown size fit into 10,000 parts that grow',
  (bytes) => {
    expect(partsFor(bytes, partSizes(16 * MIB, undefined)).parts).toBeLessThanOrEqual(10_000);
  },
);

test.each([200 * GIB, TIB, 5 * TIB])('%i known bytes fit into 9,000 parts of one size', (bytes) => {
  const size = partSizes(16 * MIB, bytes);
  const { parts, largest } = partsFor(bytes, size);
  expect(parts).toBeLessThanOrEqual(9000);
  expect(largest).toBe(size(1));
});

test.each([1, GIB, 100 * GIB])('a hint of %i that is far too low does no harm', (hint) => {
  expect(partsFor(2 * TIB, partSizes(16 * MIB, hint)).parts).toBeLessThanOrEqual(10_000);
});

test('no part is larger than S3 takes', () => {
  expect(partSizes(1024 * MIB, undefined)(10_000)).toBe(5 * GIB);
});
