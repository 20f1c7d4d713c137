import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { PluginError } from '@octo/plugin-api';
import { positionsIn, tamperedAt } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import { bzipped } from './bzip2-samples.ts';
import {
  inChunks,
  makeContext,
  makeStep,
  refusal,
  runStep,
  watchedSource,
} from './step-harness.ts';

const plain = Buffer.from(
  Array.from({ length: 30_000 }, (_, row) => `${row},K3PD-7QXZ,${row * 37}.00\r\n`).join(''),
);
const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const formats = [
  ['gzip', 'a.csv.gz', gzipSync(plain), plain],
  ['zstd', 'a.csv.zst', zstdCompressSync(plain, checked), plain],
  ['bzip2', 'a.csv.bz2', bzipped.table.bytes, bzipped.table.plain],
] as const;

describe.each(formats)('%s', (_, name, packed, expected) => {
  test('comes out as it was, whatever the chunks and the name', async () => {
    const step = await makeStep('decompress');
    for (const chunkBytes of [1000, 64 * 1024, 1e7]) {
      const { contents } = await runStep(step, packed, { name, chunkBytes });
      expect(contents[0]?.bytes.equals(expected)).toBe(true);
      expect(contents[0]?.name).toBe('a.csv');
    }
    const { contents } = await runStep(step, packed, { name: 'a.csv' });
    expect(contents[0]?.bytes.equals(expected)).toBe(true);
  });

  test('is refused when cut off anywhere', async () => {
    const step = await makeStep('decompress');
    for (const position of positionsIn(packed.subarray(0, -1), 64)) {
      const error = await refusal(step, packed.subarray(0, position), { name });
      expect(error, `at ${position}`).toMatchObject({
        type: 'integrity',
        code: 'DECOMPRESS_FAILED',
      });
    }
  });

  test('never gives other bytes when one bit is flipped', async () => {
    const step = await makeStep('decompress');
    let refused = 0;
    for (const position of positionsIn(packed, 128)) {
      const bad = tamperedAt(packed, position, 1 << (position % 8));
      const outcome = await runStep(step, bad, { name }).catch((error: unknown) => error);
      if (outcome instanceof PluginError) refused += 1;
      const accepted =
        outcome instanceof PluginError ? expected : (outcome as Accepted).contents[0]?.bytes;
      expect(accepted?.equals(expected), `at ${position}`).toBe(true);
    }
    expect(refused).toBeGreaterThan(120);
  });

  test('is refused when anything follows', async () => {
    const step = await makeStep('decompress');
    for (const tail of ['x', '\0', '\n'.repeat(1000)]) {
      const error = await refusal(step, Buffer.concat([packed, Buffer.from(tail)]), { name });
      expect(error).toMatchObject({ type: 'integrity', code: 'DECOMPRESS_FAILED' });
      expect(error.message).toMatch(/is followed by other bytes/);
    }
  });

  test('is bounded by bytes and by ratio', async () => {
    const step = await makeStep('decompress');
    const error = await refusal(step, packed, { name, limits: { maxBytes: expected.length - 1 } });
    expect(error).toMatchObject({ type: 'integrity', code: 'LIMIT' });
    await runStep(step, packed, { name, limits: { maxBytes: expected.length } });
  });

  test('may come in several members only when the feed says so', async () => {
    const strict = await makeStep('decompress');
    const open = await makeStep('decompress', { multiMember: true });
    const two = Buffer.concat([packed, packed]);
    const { contents } = await runStep(open, two, { name });
    expect(contents[0]?.bytes.equals(Buffer.concat([expected, expected]))).toBe(true);
    const outcome = await runStep(strict, two, { name }).catch((error: Error) => error.message);
    expect(typeof outcome === 'string' ? outcome : 'accepted').toMatch(
      name.endsWith('.zst') ? /accepted/ : /set "multiMember"/,
    );
  });
});

type Accepted = Awaited<ReturnType<typeof runStep>>;

test.each(Object.entries(bzipped))('bzip2 of %s', async (_, { bytes, plain: expected }) => {
  const step = await makeStep('decompress');
  const { contents } = await runStep(step, bytes, { name: 'a.bz2', limits: { maxRatio: 1e9 } });
  expect(contents[0]?.bytes.equals(expected)).toBe(true);
});

test('a bomb of zeros stops at the ratio', async () => {
  const bomb = gzipSync(Buffer.alloc(20_000_000));
  const step = await makeStep('decompress');
  expect(await refusal(step, bomb, { limits: { maxRatio: 200 } })).toMatchObject({ code: 'LIMIT' });
});

test('only one layer is undone', async () => {
  const step = await makeStep('decompress');
  const once = gzipSync(plain);
  const { contents } = await runStep(step, gzipSync(once), { name: 'a.gz.gz' });
  expect(contents[0]?.name).toBe('a.gz');
  expect(contents[0]?.bytes.equals(once)).toBe(true);
});

test('what is not compressed passes unchanged, unless its name says otherwise', async () => {
  const step = await makeStep('decompress');
  for (const bytes of [plain, Buffer.alloc(0), Buffer.from([0x1f])]) {
    const { contents } = await runStep(step, bytes, { name: 'a.csv' });
    expect(contents[0]?.bytes.equals(bytes)).toBe(true);
    const error = await refusal(step, bytes, { name: 'a.csv.gz' });
    expect(error.message).toMatch(/a\.csv\.gz is named as if it were compressed/);
  }
});

test('a format that is not listed passes as it is, name included', async () => {
  const step = await makeStep('decompress', { formats: ['zstd'] });
  const packed = gzipSync(plain);
  const { contents } = await runStep(step, packed, { name: 'a.csv.gz' });
  expect(contents[0]?.name).toBe('a.csv.gz');
  expect(contents[0]?.bytes.equals(packed)).toBe(true);
});

test('a gzip header with a name, a comment and more is read', async () => {
  const body = gzipSync(plain).subarray(10);
  const header = Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3]);
  const extras = Buffer.from('\x03\x00abca.csv\0comment\0\x12\x34', 'latin1');
  const step = await makeStep('decompress');
  const { contents } = await runStep(step, Buffer.concat([header, extras, body]));
  expect(contents[0]?.bytes.equals(plain)).toBe(true);
});

test('break releases the source', async () => {
  const step = await makeStep('decompress');
  const watched = watchedSource(gzipSync(Buffer.alloc(50_000_000, 'abc')), 1000);
  const { context } = await makeContext();
  for await (const content of step.run({ name: 'a', bytes: watched.source }, context)) {
    for await (const chunk of content.bytes) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    break;
  }
  expect(watched.released).toBe(true);
});

test("the source's own error passes unchanged", async () => {
  const lost = new PluginError('network', 'connection lost');
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield* inChunks(gzipSync(plain).subarray(0, 90_000), 10_000);
    throw lost;
  }
  expect(await refusal(await makeStep('decompress'), failing())).toBe(lost);
});

test("the source's own error passes unchanged after the last byte of a member, too", async () => {
  const lost = new PluginError('network', 'connection lost');
  const packed = gzipSync(plain);
  for (const before of [0, 8, 20]) {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield packed.subarray(0, packed.length - before);
      throw lost;
    }
    expect(await refusal(await makeStep('decompress'), failing())).toBe(lost);
  }
});
