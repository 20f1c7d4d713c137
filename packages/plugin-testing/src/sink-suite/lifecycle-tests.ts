import { describe, expect, test } from 'vitest';
import { proofOf } from '../proof-of.ts';
import { quiet, someBytes } from '../observations.ts';
import { objects, SinkBench, type OpenSink } from './sink-bench.ts';

/** Signals, disposal, health and diagnosis. */
export function lifecycleTests(open: OpenSink): void {
  describe('signals', () => {
    test('an aborted signal is answered with its reason, and nothing happens', async () => {
      await using bench = await SinkBench.open(open);
      const { sink } = bench;
      const bytes = someBytes(1000);
      const staged = await bench.staged('key', bytes);
      const reason = new Error('the run was stopped');
      const stopped = AbortSignal.abort(reason);
      await expect(sink.stage({ key: 'other', metadata: {} }, stopped)).rejects.toBe(reason);
      await expect(staged.write(someBytes(10), stopped)).rejects.toBe(reason);
      await expect(staged.commit(proofOf(bytes), stopped)).rejects.toBe(reason);
      await expect(sink.abort({ key: 'key', id: staged.id }, stopped)).rejects.toBe(reason);
      await expect(sink.head('key', stopped)).rejects.toBe(reason);
      expect(await bench.visible()).toEqual(objects({}));
      expect(await staged.commit(proofOf(bytes), quiet)).toMatchObject({ outcome: 'committed' });
      expect(await bench.visible()).toEqual(objects({ key: bytes }));
    });
  });

  describe('lifecycle', () => {
    test('disposal is safe without start, and twice', async () => {
      await using place = await open();
      await place.sink[Symbol.asyncDispose]?.();
      await expect(place.sink[Symbol.asyncDispose]?.()).resolves.toBeUndefined();
    });

    test('disposal after work is safe twice', async () => {
      await using bench = await SinkBench.open(open);
      await bench.put('key', someBytes(10));
      await bench.sink[Symbol.asyncDispose]?.();
      await bench.sink[Symbol.asyncDispose]?.();
      expect(await bench.visible()).toEqual(objects({ key: someBytes(10) }));
    });

    test('an upload is disposed twice without harm', async () => {
      await using bench = await SinkBench.open(open);
      const staged = await bench.staged('key', someBytes(10));
      await staged[Symbol.asyncDispose]();
      await staged[Symbol.asyncDispose]();
      expect(await bench.visible()).toEqual(objects({}));
    });

    test('a healthy place is healthy', async () => {
      await using bench = await SinkBench.open(open);
      await bench.put('key', someBytes(10));
      await bench.sink.health?.(quiet);
      expect(await bench.visible()).toEqual(objects({ key: someBytes(10) }));
    });

    test('the diagnosis passes on a healthy place and leaves nothing behind', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      await bench.put('key', someBytes(10));
      const steps = await Array.fromAsync(
        bench.sink.diagnose?.(quiet) ?? skip('this sink has no diagnosis'),
      );
      expect(steps.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      expect(steps.length).toBeGreaterThan(0);
      expect(await bench.visible()).toEqual(objects({ key: someBytes(10) }));
      expect(await Array.fromAsync(bench.sink.uploads?.(quiet) ?? [])).toEqual([]);
    });

    test('facts can be attached to a committed object, again and again', async ({ skip }) => {
      await using bench = await SinkBench.open(open);
      const { sink } = bench;
      const annotate = sink.annotate?.bind(sink) ?? skip('this sink keeps no facts');
      await bench.put('key', someBytes(10), { metadata: { 'octo-delivery': 'd' } });
      await annotate('key', { 'octo-raw-sha256': 'a'.repeat(64) }, quiet);
      await annotate('key', { 'octo-raw-sha256': 'a'.repeat(64) }, quiet);
      expect(await bench.sink.head('key', quiet)).toMatchObject({
        metadata: { 'octo-delivery': 'd' },
      });
      expect(await bench.visible()).toEqual(objects({ key: someBytes(10) }));
    });
  });
}
