import type { CommitAnswer, Staged } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { proofOf } from '../proof-of.ts';
import { errorTypeOf, quiet, someBytes } from '../observations.ts';
import { objects, SinkBench, type OpenSink } from './sink-bench.ts';

const ROUNDS = 10;

/** After an abort has resolved, the upload can never become visible; an abort never takes an object away. */
export function abortTests(open: OpenSink): void {
  describe('abort', () => {
    test.each([
      ['before its first byte', 0],
      ['after some bytes', 100],
      ['after many bytes', 300_000],
    ])('an upload aborted %s can not be committed any more', async (_, size) => {
      await using bench = await SinkBench.open(open);
      const staged = await bench.staged('key', someBytes(size));
      await bench.sink.abort({ key: 'key', id: staged.id }, quiet);
      expect(await staged.commit(proofOf(someBytes(size)), quiet)).toEqual({ outcome: 'gone' });
      expect(await bench.visible()).toEqual(objects({}));
      expect(await bench.sink.head('key', quiet)).toBeUndefined();
    });

    test('another process aborts with nothing but key and id', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      const other = await bench.another(skip);
      const unbegun = await bench.begin('unbegun');
      const written = await bench.staged('written', someBytes(5000));
      await other.abort({ key: 'unbegun', id: unbegun.id }, quiet);
      await other.abort({ key: 'written', id: written.id }, quiet);
      expect(await commitLater(unbegun, 0)).toEqual({ outcome: 'gone' });
      expect(await bench.visible()).toEqual(objects({}));
      expect(await commitLater(written, 5000)).toEqual({ outcome: 'gone' });
      expect(await bench.visible()).toEqual(objects({}));
    });

    test('a writer that was aborted meanwhile is told so, at the latest by its commit', async () => {
      await using bench = await SinkBench.open(open);
      const staged = await bench.staged('key', someBytes(1000));
      await bench.sink.abort({ key: 'key', id: staged.id }, quiet);
      expect(await commitLater(staged, 1000)).toEqual({ outcome: 'gone' });
      expect(await bench.visible()).toEqual(objects({}));
    });

    test('aborting twice, or something unknown, is answered', async () => {
      await using bench = await SinkBench.open(open);
      const staged = await bench.staged('key', someBytes(1000));
      const other = await bench.begin('other');
      const begun = [
        { key: 'key', id: staged.id },
        { key: 'other', id: other.id },
      ];
      for (const upload of [...begun, ...begun]) await bench.sink.abort(upload, quiet);
      expect(await commitLater(staged, 1000)).toEqual({ outcome: 'gone' });
      expect(await bench.visible()).toEqual(objects({}));
      expect(await commitLater(other, 0)).toEqual({ outcome: 'gone' });
      expect(await bench.visible()).toEqual(objects({}));
    });

    test('an abort after the commit leaves the object where it is', async () => {
      await using bench = await SinkBench.open(open);
      const bytes = someBytes(1000);
      const staged = await bench.staged('key', bytes);
      await staged.commit(proofOf(bytes), quiet);
      await bench.sink.abort({ key: 'key', id: staged.id }, quiet);
      await bench.sink.abort({ key: 'key', id: staged.id }, quiet);
      expect(await bench.visible()).toEqual(objects({ key: bytes }));
      expect(await bench.sink.head('key', quiet)).toMatchObject({ bytes: 1000 });
    });

    test('when an abort meets a commit, both tell the truth', async () => {
      await using bench = await SinkBench.open(open);
      const aborter = await bench.anotherOrSame();
      for (let round = 0; round < ROUNDS; round += 1) {
        const key = `race/${round}`;
        const staged = await bench.staged(key, someBytes(2000));
        const [answer] = await Promise.all([
          staged.commit(proofOf(someBytes(2000)), quiet),
          aborter.abort({ key, id: staged.id }, quiet),
        ]);
        const visible = (await bench.place.readObject(key)) !== undefined;
        expect(['committed', 'gone']).toContain(answer.outcome);
        expect(visible || answer.outcome === 'gone').toBe(true);
        const settled = await staged.commit(proofOf(someBytes(2000)), quiet);
        expect(['committed', 'gone']).toContain(settled.outcome);
        expect((await bench.place.readObject(key)) !== undefined).toBe(visible);
      }
    });

    test.each(['no-such-upload', '..', '../../victim', 'victim', '', 'a\0b', 'x'.repeat(3000)])(
      'the id %j touches nothing',
      async (id) => {
        await using bench = await SinkBench.open(open);
        await bench.put('victim', someBytes(10));
        const outcome = await errorTypeOf(bench.sink.abort({ key: 'victim', id }, quiet));
        expect(['no error', 'validation', 'not_found']).toContain(outcome);
        expect(await bench.visible()).toEqual(objects({ victim: someBytes(10) }));
      },
    );
  });

  describe('uploads', () => {
    test('lists what was begun and neither committed nor aborted', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      const { sink } = bench;
      const uploads = sink.uploads?.bind(sink) ?? skip('this sink lists no uploads');
      const left = await bench.staged('left/over', someBytes(6_000_000));
      const aborted = await bench.staged('aborted', someBytes(100));
      await sink.abort({ key: 'aborted', id: aborted.id }, quiet);
      await bench.put('committed', someBytes(100));
      const listed = await Array.fromAsync(uploads(quiet));
      expect(listed.map(({ key, id }) => ({ key, id }))).toEqual([
        { key: 'left/over', id: left.id },
      ]);
      expect(listed[0]?.startedMs).toBeGreaterThan(0);
      for (const upload of listed) await sink.abort(upload, quiet);
      expect(await Array.fromAsync(uploads(quiet))).toEqual([]);
    });
  });
}

/** One more write, which may be accepted or answered with not_found, then the commit. */
async function commitLater(staged: Staged, written: number): Promise<CommitAnswer> {
  const all = someBytes(written + 50);
  const write = await errorTypeOf(staged.write(all.slice(written), quiet));
  if (write !== 'no error' && write !== 'not_found') throw new Error(`write: ${write}`);
  return staged.commit(proofOf(write === 'no error' ? all : all.slice(0, written)), quiet);
}
