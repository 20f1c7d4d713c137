import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { combineCrcs, crc32c, crc64nvme, type Crc } from '../../src/s3/crc.ts';
import { sample } from './s3-client.ts';

function hex(crc: Crc, ...chunks: Uint8Array[]): string {
  for (const chunk of chunks) crc.update(chunk);
  return crc.digest().toString('hex');
}

const CHECK = Buffer.from('123456789');

describe('CRCs', () => {
  test('give the check values of their catalogue entries', () => {
    expect(hex(crc32c(), CHECK)).toBe('e3069283');
    expect(hex(crc64nvme(), CHECK)).toBe('ae8b14860a799888');
  });

  test('of nothing are zero', () => {
    expect(hex(crc32c())).toBe('00000000');
    expect(hex(crc64nvme())).toBe('0000000000000000');
  });

  test('of two neighbours combine to the CRC of both', () => {
    const left = sample(70_001);
    const right = sample(12_345, 2);
    const whole = Buffer.concat([left, right]);
    const combined = (name: 'CRC32C' | 'CRC64NVME', crc: () => Crc): string => {
      const [a, b] = [crc(), crc()];
      a.update(left);
      b.update(right);
      return combineCrcs(name, a.digest(), b.digest(), right.length).toString('hex');
    };
    expect(combined('CRC32C', crc32c)).toBe(hex(crc32c(), whole));
    expect(combined('CRC64NVME', crc64nvme)).toBe(hex(crc64nvme(), whole));
  });

  test('combine for CRC-32 as zlib computes it', () => {
    const word = (value: number): Buffer => {
      const buffer = Buffer.alloc(4);
      buffer.writeUInt32BE(value);
      return buffer;
    };
    const combined = combineCrcs('CRC32', word(crc32('octo')), word(crc32(' host')), 5);
    expect(combined).toEqual(word(crc32('octo host')));
  });
});
