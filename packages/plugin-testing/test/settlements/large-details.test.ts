import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { largeDetails } from '../../src/settlements/large-details.ts';

test.each([4_096, 300_001, 5_000_000])(
  'a details file of %i bytes is exactly that',
  async (size) => {
    const file = largeDetails({ size });
    const text = await read(file.chunks());
    expect(Buffer.byteLength(text)).toBe(size);
    const lines = text.trimEnd().split('\n');
    expect(new Set(lines.map((line) => line.replaceAll(/"[^"]*"/g, '').split(',').length))).toEqual(
      new Set([13]),
    );
  },
);

test('it is the same bytes at every reading', async () => {
  const file = largeDetails({ size: 1_000_000, seed: 3 });
  const hash = async () =>
    createHash('sha256')
      .update(await read(file.chunks()))
      .digest('hex');
  expect(await hash()).toBe(await hash());
});

test('a reader may stop early', async () => {
  let bytes = 0;
  for await (const chunk of largeDetails({ size: 100_000_000_000 }).chunks()) {
    bytes += chunk.length;
    if (bytes > 1_000_000) break;
  }
  expect(bytes).toBeLessThan(2_000_000);
});

async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}
