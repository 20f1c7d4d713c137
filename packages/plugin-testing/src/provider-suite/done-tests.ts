import { describe, expect, test } from 'vitest';
import { inWords, quiet, someBytes } from '../observations.ts';
import { ProviderBench, versionOf, type OpenProvider } from './provider-bench.ts';

const DELIVERY = 'd'.repeat(64);

/** What happens at the vendor after a delivery never takes away what was not delivered. */
export function doneTests(open: OpenProvider, names: readonly [string, string, string]): void {
  describe('done', () => {
    test('can be repeated, also when the answer of the first time was lost', async ({ skip }) => {
      await using bench = await ProviderBench.open(open, quiet);
      const done = bench.session.done?.bind(bench.session) ?? skip('this provider leaves files');
      const file = await bench.published(names[0], someBytes(1000), quiet);
      const first = await done(file, DELIVERY, quiet);
      const again = await done(file, DELIVERY, quiet);
      expect(again?.location).toBe(first?.location);
    });

    test('a file that was put elsewhere is found there, as the same version', async ({ skip }) => {
      await using bench = await ProviderBench.open(open, quiet);
      const done = bench.session.done?.bind(bench.session) ?? skip('this provider leaves files');
      const file = await bench.published(names[0], someBytes(1000), quiet);
      const answer = await done(file, DELIVERY, quiet);
      const location = answer?.location ?? skip('this provider puts files nowhere');
      const moved = { ...file, location };
      expect(await bench.session.stat(moved, quiet)).toMatchObject({
        size: file.size,
        mtimeMs: file.mtimeMs,
      });
      expect(inWords(await bench.read(moved, 0, quiet))).toBe(inWords(someBytes(1000)));
    });

    test('does nothing to a file that is not the same any more', async ({ skip }) => {
      await using bench = await ProviderBench.open(open, quiet);
      const done = bench.session.done?.bind(bench.session) ?? skip('this provider leaves files');
      const old = await bench.published(names[0], someBytes(1000), quiet);
      await bench.publish(names[0], someBytes(1001, 2), 1);
      const [fresh] = await bench.list(quiet);
      await done(old, DELIVERY, quiet);
      const [listed, ...others] = await bench.list(quiet);
      expect(others).toEqual([]);
      expect(versionOf(listed)).toEqual(versionOf(fresh));
      const read = listed && (await bench.read(listed, 0, quiet));
      expect(inWords(read)).toBe(inWords(someBytes(1001, 2)));
    });

    test('succeeds when the vendor took the file away himself', async ({ skip }) => {
      await using bench = await ProviderBench.open(open, quiet);
      const done = bench.session.done?.bind(bench.session) ?? skip('this provider leaves files');
      const remove = bench.vendor.remove?.bind(bench.vendor) ?? skip('nobody can take files away');
      const file = await bench.published(names[0], someBytes(1000), quiet);
      await remove(names[0]);
      await done(file, DELIVERY, quiet);
      expect(await bench.list(quiet)).toEqual([]);
    });

    test('touches no other file', async ({ skip }) => {
      await using bench = await ProviderBench.open(open, quiet);
      const done = bench.session.done?.bind(bench.session) ?? skip('this provider leaves files');
      await bench.publish(names[1], someBytes(500));
      const [other] = await bench.list(quiet);
      const file = await bench.published(names[0], someBytes(1000), quiet);
      await done(file, DELIVERY, quiet);
      expect(other && versionOf(await bench.session.stat(other, quiet))).toEqual(versionOf(other));
    });
  });
}
