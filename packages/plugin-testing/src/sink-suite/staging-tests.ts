import { describe, expect, test } from 'vitest';
import { proofOf } from '../proof-of.ts';
import { quiet, someBytes } from '../observations.ts';
import { objects, SinkBench, type OpenSink } from './sink-bench.ts';

/** Nothing is visible before the commit, and what becomes visible are the bytes and the metadata that were staged. */
export function stagingTests(open: OpenSink, boundaryBytes: readonly number[]): void {
  describe('staging', () => {
    test('nothing is visible before the commit', async () => {
      await using bench = await SinkBench.open(open);
      const bytes = someBytes(70_000);
      const staged = await bench.staged('in/settlement.csv', bytes);
      expect(await bench.visible()).toEqual(objects({}));
      expect(await bench.place.readObject('in/settlement.csv')).toBeUndefined();
      expect(await bench.sink.head('in/settlement.csv', quiet)).toBeUndefined();
      const answer = await staged.commit(proofOf(bytes), quiet);
      expect(answer.outcome).toBe('committed');
      expect(await bench.visible()).toEqual(objects({ 'in/settlement.csv': bytes }));
    });

    test('an upload that is dropped without a commit leaves nothing visible', async () => {
      await using bench = await SinkBench.open(open);
      {
        await using staged = await bench.sink.stage({ key: 'dropped', metadata: {} }, quiet);
        await staged.write(someBytes(1000), quiet);
      }
      expect(await bench.visible()).toEqual(objects({}));
      expect(await bench.sink.head('dropped', quiet)).toBeUndefined();
    });

    test.each(sizesAround(boundaryBytes))('%i bytes come out as they went in', async (size) => {
      await using bench = await SinkBench.open(open);
      const bytes = someBytes(size);
      const answer = await bench.put('object', bytes);
      expect(answer.outcome).toBe('committed');
      expect(await bench.visible()).toEqual(objects({ object: bytes }));
      expect(await bench.sink.head('object', quiet)).toMatchObject({ bytes: size });
    });

    test.each([
      ['thousands of tiny chunks', 20_000, (i: number) => 1 + (i % 13)],
      ['chunks of odd sizes, some of them empty', 600_000, (i: number) => (i * 7919) % 65_537],
      ['one chunk', 300_000, () => 300_000],
    ])('%s arrive in order and whole', async (_, size, chunkSize) => {
      await using bench = await SinkBench.open(open);
      const bytes = someBytes(size);
      const staged = await bench.begin('object');
      for (let i = 0, offset = 0; offset < size; i += 1) {
        const chunk = bytes.slice(offset, offset + chunkSize(i));
        await staged.write(chunk, quiet);
        offset += chunk.length;
      }
      expect(await staged.commit(proofOf(bytes), quiet)).toMatchObject({ outcome: 'committed' });
      expect(await bench.visible()).toEqual(objects({ object: bytes }));
    });

    test.each([1, 5_000, 1_000_000_000])(
      'a size hint of %i for 5,000 bytes does no harm',
      async (sizeHint) => {
        await using bench = await SinkBench.open(open);
        const bytes = someBytes(5_000);
        await using staged = await bench.sink.stage(
          { key: 'object', metadata: {}, sizeHint },
          quiet,
        );
        await staged.write(bytes, quiet);
        expect(await staged.commit(proofOf(bytes), quiet)).toMatchObject({ outcome: 'committed' });
        expect(await bench.visible()).toEqual(objects({ object: bytes }));
      },
    );

    test('uploads to different keys do not disturb each other', async () => {
      await using bench = await SinkBench.open(open);
      const written = Object.fromEntries(
        Array.from({ length: 6 }, (_, i) => [`folder/${i}`, someBytes(30_000 + i, i + 1)]),
      );
      const answers = await Promise.all(
        Object.entries(written).map(([key, bytes]) => bench.put(key, bytes)),
      );
      expect(answers.map(({ outcome }) => outcome)).toEqual(Array(6).fill('committed'));
      expect(await bench.visible()).toEqual(objects(written));
    });
  });

  describe('head', () => {
    test('an empty place has no object', async () => {
      await using bench = await SinkBench.open(open);
      expect(await bench.sink.head('not/here', quiet)).toBeUndefined();
    });

    test('the metadata comes back as it was staged', async () => {
      await using bench = await SinkBench.open(open);
      const metadata = {
        'octo-delivery': 'f'.repeat(64),
        'octo-source': 'path=a%20b; size=12, "quoted" \\ ~!',
        'octo-long': 'x'.repeat(1500),
      };
      await bench.put('with/metadata', someBytes(10), { metadata });
      expect(await bench.sink.head('with/metadata', quiet)).toMatchObject({ bytes: 10, metadata });
    });

    test('checksums that the store tells are those of the bytes', async () => {
      await using bench = await SinkBench.open(open);
      const bytes = someBytes(100_000);
      await bench.put('object', bytes);
      const proof = proofOf(bytes);
      const head = await bench.sink.head('object', quiet);
      expect(Buffer.from(head?.sha256 ?? proof.sha256)).toEqual(Buffer.from(proof.sha256));
      expect(Buffer.from(head?.crc64nvme ?? proof.crc64nvme)).toEqual(Buffer.from(proof.crc64nvme));
    });

    test('the etag that the commit answered is the one that head tells', async () => {
      await using bench = await SinkBench.open(open);
      const answer = await bench.put('object', someBytes(10));
      const head = await bench.sink.head('object', quiet);
      const told = answer.outcome === 'committed' ? answer.etag : 'not committed';
      expect(told ?? head?.etag).toBe(head?.etag);
    });

    test('an object of a stranger has its size and no metadata', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      await bench.placeForeign('foreign', someBytes(321), skip);
      expect(await bench.sink.head('foreign', quiet)).toMatchObject({ bytes: 321, metadata: {} });
    });

    test('another process sees what was committed before it looked', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      const other = await bench.another(skip);
      expect(other.place).toBe(bench.sink.place);
      await bench.put('object', someBytes(77), { metadata: { 'octo-delivery': 'd1' } });
      expect(await other.head('object', quiet)).toMatchObject({
        bytes: 77,
        metadata: { 'octo-delivery': 'd1' },
      });
    });
  });
}

function sizesAround(boundaryBytes: readonly number[]): number[] {
  const around = boundaryBytes.flatMap((boundary) => [boundary - 1, boundary, boundary + 1]);
  return [...new Set([0, 1, 2, ...around, ...boundaryBytes.map((boundary) => 2 * boundary + 1)])];
}
