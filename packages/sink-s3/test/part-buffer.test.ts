import { expect, test } from 'vitest';
import { proofOf } from '@octo/plugin-testing';
import { Crc64Nvme, crcToBytes } from '@octo/crc64nvme';
import { BLOCK_BYTES, BlockPool } from '../src/block-pool.ts';
import { PartBuffer, type FilledPart } from '../src/part-buffer.ts';
import { MIB, sample } from './open-sink.ts';

function filled(
  pool: BlockPool,
  bytes: Uint8Array,
  chunkBytes: number,
  crc: Crc64Nvme = new Crc64Nvme(),
): FilledPart {
  const part = new PartBuffer(pool, crc, false);
  for (let at = 0; at < bytes.length; at += chunkBytes)
    part.add(bytes.subarray(at, at + chunkBytes));
  return part.take();
}

test.each([
  [100, 100],
  [200_000, 65_536],
  [300_000, 1000],
  [BLOCK_BYTES, 261_120],
  [2 * MIB, 2 * MIB],
  [3 * MIB + 1, 261_120],
])(
  '%i bytes in chunks of %i are the bytes of the part, and their sum is its sum',
  (size, piece) => {
    const bytes = sample(size);
    const part = filled(new BlockPool(0), bytes, piece);
    expect(Buffer.concat(part.chunks).equals(bytes)).toBe(true);
    expect(part.bytes).toBe(size);
    expect(crcToBytes(part.crc64nvme)).toEqual(Buffer.from(proofOf(bytes).crc64nvme));
  },
);

test('a later part finds its own sum in the one of the object', () => {
  const crc = new Crc64Nvme();
  filled(new BlockPool(0), sample(100_000), 1000, crc);
  const bytes = sample(70_000).toReversed();
  const { crc64nvme } = filled(new BlockPool(0), bytes, 70_000, crc);
  expect(crcToBytes(crc64nvme)).toEqual(Buffer.from(proofOf(bytes).crc64nvme));
});

test('a small part keeps the chunks as they came, and takes no block', () => {
  const bytes = sample(10_240);
  expect(filled(new BlockPool(0), bytes, 10_240).chunks[0]?.buffer).toBe(bytes.buffer);
});

test('a part that was sent leaves its memory to the next one, and no more than is wanted idle', () => {
  const pool = new BlockPool(2 * BLOCK_BYTES);
  const first = filled(pool, sample(3 * MIB), MIB);
  const memory = new Set(first.chunks.map(({ buffer }) => buffer));
  first.release();
  first.release();
  const second = filled(pool, sample(3 * MIB), MIB);
  expect(second.chunks.filter(({ buffer }) => memory.has(buffer))).toHaveLength(2);
  expect(new Set(second.chunks.map(({ buffer }) => buffer)).size).toBe(3);
  expect(Buffer.concat(second.chunks).equals(sample(3 * MIB))).toBe(true);
});
