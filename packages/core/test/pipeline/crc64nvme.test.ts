import { proofOf } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { Crc64Nvme } from '../../src/pipeline/crc64nvme.ts';

test('the check value is the published one', () => {
  const digest = new Crc64Nvme().update(Buffer.from('123456789')).digest();
  expect(digest.toString('hex')).toBe('ae8b14860a799888');
});

test('chunks of any size give what an independent implementation says of the whole', () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 131 + (i >> 3)) & 255));
  for (const size of [1, 3, 15, 16, 17, 64, 999, 1000]) {
    const crc = new Crc64Nvme();
    for (let at = 0; at < bytes.length; at += size) crc.update(bytes.subarray(at, at + size));
    expect(crc.digest()).toEqual(Buffer.from(proofOf(bytes).crc64nvme));
  }
});

test('nothing has a checksum, too', () => {
  expect(new Crc64Nvme().digest()).toEqual(Buffer.from(proofOf(Buffer.alloc(0)).crc64nvme));
});
