import { proofOf } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { Crc64Nvme, CrcJoiner, crcToBytes } from '../src/index.ts';

function sample(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * 131 + (i >> 3) + (i >> 9)) & 255));
}

const crc = (bytes: Uint8Array): bigint => new Crc64Nvme().update(bytes).digest();

test('gives the check value of its catalogue entry', () => {
  expect(crc(Buffer.from('123456789'))).toBe(0xae8b14860a799888n);
});

test.each([0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 1000, 65_535, 65_536, 65_600, 300_003])(
  'agrees with an independent one over %i bytes, wherever they lie and however they come',
  (size) => {
    const bytes = sample(size + 3).subarray(3);
    const oracle = Buffer.from(proofOf(bytes).crc64nvme);
    expect(crcToBytes(crc(bytes))).toEqual(oracle);
    const pieces = new Crc64Nvme();
    for (let at = 0; at < size; at += 7919) pieces.update(bytes.subarray(at, at + 7919));
    expect(crcToBytes(pieces.digest())).toEqual(oracle);
  },
);

test('of neighbours join to the one of the whole', () => {
  const bytes = sample(50_000);
  const joiner = new CrcJoiner();
  const cuts = [0, 17, 1017, 2017, 2017, 50_000];
  const joined = cuts.slice(1).reduce((sum, end, i) => {
    const piece = bytes.subarray(cuts[i], end);
    return joiner.join(sum, crc(piece), piece.length);
  }, 0n);
  expect(joined).toBe(crc(bytes));
});

test('the rest of a whole has a sum of its own, which joins to the whole again', () => {
  const bytes = sample(50_000);
  const [left, right] = [bytes.subarray(0, 12_345), bytes.subarray(12_345)];
  expect(new CrcJoiner().rest(crc(left), crc(bytes), right.length)).toBe(crc(right));
});

test('whoever is given the same chunks in the same order comes to the same sum, and nobody else', () => {
  const chunks = Array.from({ length: 5 }, (_, i) => sample(10_000 + i));
  const sumOf = (given: readonly Buffer[]) => {
    const sum = new Crc64Nvme();
    for (const chunk of given) sum.update(chunk);
    return sum.digest();
  };
  const host = sumOf(chunks);
  expect(sumOf(chunks)).toBe(host);
  expect(sumOf(chunks)).toBe(crc(Buffer.concat(chunks)));
  const orders = [
    chunks.slice(0, -1),
    chunks.slice(1),
    chunks.toReversed(),
    [...chunks, chunks[4]!],
    [chunks[0]!, chunks[0]!, ...chunks.slice(2)],
    chunks.map((chunk, i) => (i === 2 ? Buffer.from(chunk).fill(1, 0, 1) : chunk)),
  ];
  for (const other of orders) {
    expect(sumOf(other)).toBe(crc(Buffer.concat(other)));
    expect(sumOf(other)).not.toBe(host);
  }
});

test('several are computed at the same time, as the uploads of a sink are', () => {
  const [a, b] = [sample(20_000), sample(30_000).toReversed()];
  const [left, right] = [new Crc64Nvme(), new Crc64Nvme()];
  for (let at = 0; at < 30_000; at += 1000) {
    left.update(a.subarray(at, at + 1000));
    right.update(b.subarray(at, at + 1000));
  }
  expect([left.digest(), right.digest()]).toEqual([crc(a), crc(b)]);
});
