import type { CommitAnswer, Sink } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { proofOf } from '../proof-of.ts';
import { errorTypeOf, quiet, someBytes } from '../observations.ts';
import { objects, SinkBench, type OpenSink } from './sink-bench.ts';

const ROUNDS = 4;
const CONTENDERS = 8;

/** The commit makes an object visible only where nothing is, atomically, and only with the bytes of the proof. */
export function commitTests(open: OpenSink): void {
  describe('commit', () => {
    test('refuses a key that was committed before, and leaves the object alone', async () => {
      await using bench = await SinkBench.open(open);
      const first = someBytes(5000, 1);
      await bench.put('key', first, { metadata: { 'octo-delivery': 'first' } });
      const second = await bench.staged('key', someBytes(6000, 2), {
        metadata: { 'octo-delivery': 'second' },
      });
      const answer = await second.commit(proofOf(someBytes(6000, 2)), quiet);
      expect(answer.outcome).toBe('exists');
      await bench.sink.abort({ key: 'key', id: second.id }, quiet);
      expect(await bench.visible()).toEqual(objects({ key: first }));
      expect(await bench.sink.head('key', quiet)).toMatchObject({
        metadata: { 'octo-delivery': 'first' },
      });
    });

    test('refuses a key where a stranger put something, even after the upload began', async ({
      skip,
    }) => {
      await using bench = await SinkBench.open(open);
      const foreign = someBytes(123, 9);
      const staged = await bench.staged('key', someBytes(5000));
      await bench.placeForeign('key', foreign, skip);
      expect(await staged.commit(proofOf(someBytes(5000)), quiet)).toEqual({ outcome: 'exists' });
      expect(await bench.visible()).toEqual(objects({ key: foreign }));
    });

    test('of eight commits at once to one key exactly one wins', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      if (bench.sink.commits !== 'conditional') skip('the host takes a lock for this sink');
      const sinks = [bench.sink, await bench.anotherOrSame()];
      for (let round = 0; round < ROUNDS; round += 1) {
        const key = `contended/${round}`;
        const answers = await contend(bench, key, sinks);
        const winner = answers.findIndex(({ outcome }) => outcome === 'committed');
        expect(answers.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
        for (const { outcome } of answers)
          expect(['committed', 'exists', 'conflict']).toContain(outcome);
        expect((await bench.visible())[key]).toBe(
          objects({ key: someBytes(3000, winner + 1) }).key,
        );
        expect(await bench.sink.head(key, quiet)).toMatchObject({
          metadata: { 'octo-delivery': `d${winner}` },
        });
      }
    });

    test('a commit that is repeated after it succeeded makes no second object', async () => {
      await using bench = await SinkBench.open(open);
      const bytes = someBytes(4000);
      const staged = await bench.staged('key', bytes);
      await staged.commit(proofOf(bytes), quiet);
      const again = await staged.commit(proofOf(bytes), quiet);
      expect(['committed', 'gone']).toContain(again.outcome);
      expect(await bench.visible()).toEqual(objects({ key: bytes }));
    });

    test.each([
      ['one byte more', { ...proofOf(someBytes(4000)), bytes: 4001 }],
      ['one byte less', { ...proofOf(someBytes(4000)), bytes: 3999 }],
      ['checksums of other bytes', proofOf(someBytes(4000, 2))],
    ])('a proof with %s is refused as integrity, and nothing is visible', async (_, proof) => {
      await using bench = await SinkBench.open(open);
      const staged = await bench.staged('key', someBytes(4000));
      expect(await errorTypeOf(staged.commit(proof, quiet))).toBe('integrity');
      expect(await bench.visible()).toEqual(objects({}));
      await bench.sink.abort({ key: 'key', id: staged.id }, quiet);
      expect(await bench.visible()).toEqual(objects({}));
    });
  });

  describe('replace', () => {
    test('puts the new object in the place of the one with that etag', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      await bench.put('key', someBytes(1000, 1), { metadata: { 'octo-delivery': 'old' } });
      const etag = await bench.etagOf('key', skip);
      const answer = await bench.put('key', someBytes(900, 2), {
        metadata: { 'octo-delivery': 'new' },
        replace: { etag },
      });
      expect(answer.outcome).toBe('committed');
      expect(await bench.visible()).toEqual(objects({ key: someBytes(900, 2) }));
      const head = await bench.sink.head('key', quiet);
      expect(head).toMatchObject({ bytes: 900, metadata: { 'octo-delivery': 'new' } });
      expect(head?.etag).not.toBe(etag);
    });

    test('leaves an object with another etag alone', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      await bench.put('key', someBytes(1000, 1));
      const etag = await bench.etagOf('key', skip);
      await bench.put('key', someBytes(1000, 2), { replace: { etag } });
      const late = await bench.put('key', someBytes(1000, 3), { replace: { etag } });
      expect(late.outcome).toBe('exists');
      expect(await bench.visible()).toEqual(objects({ key: someBytes(1000, 2) }));
    });

    test('makes nothing visible where nothing was', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      await bench.put('elsewhere', someBytes(10));
      const etag = await bench.etagOf('elsewhere', skip);
      const answer = await bench.put('key', someBytes(1000, 1), { replace: { etag } });
      expect(answer.outcome).not.toBe('committed');
      expect(await bench.visible()).toEqual(objects({ elsewhere: someBytes(10) }));
    });

    test('of eight that replace the same object exactly one wins', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      if (bench.sink.commits !== 'conditional') skip('the host takes a lock for this sink');
      await bench.put('key', someBytes(1000, 99));
      const etag = await bench.etagOf('key', skip);
      const sinks = [bench.sink, await bench.anotherOrSame()];
      const answers = await contend(bench, 'key', sinks, { etag });
      const winner = answers.findIndex(({ outcome }) => outcome === 'committed');
      expect(answers.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
      expect(await bench.visible()).toEqual(objects({ key: someBytes(3000, winner + 1) }));
    });
  });
}

async function contend(
  bench: SinkBench,
  key: string,
  sinks: readonly Sink[],
  replace?: { readonly etag: string },
): Promise<CommitAnswer[]> {
  const uploads = await Promise.all(
    Array.from({ length: CONTENDERS }, (_, i) =>
      bench.staged(key, someBytes(3000, i + 1), {
        sink: sinks[i % sinks.length] as Sink,
        metadata: { 'octo-delivery': `d${i}` },
      }),
    ),
  );
  return Promise.all(
    uploads.map((staged, i) => staged.commit(proofOf(someBytes(3000, i + 1), replace), quiet)),
  );
}
