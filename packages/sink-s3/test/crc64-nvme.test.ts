import { proofOf } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { Crc64Nvme, CrcJoiner, crcToBytes } from '../src/crc64-nvme.ts';
import { sample } from './open-sink.ts';

const crc = (bytes: Uint8Array): bigint => new Crc64Nvme().update(bytes).digest();

test('gives the check value of its catalogue entry', () => {
  expect(crc(Buffer.from('123456789'))).toBe(0xae8b14860a799888n);
});

test.each([0, 1, 15, 16, 17, 31, 33, 1000, 100_003])(
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
