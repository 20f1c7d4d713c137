import { describe, expect, test } from 'vitest';
import { inWords, quiet, someBytes } from '../observations.ts';
import { ProviderBench, type OpenProvider } from './provider-bench.ts';

/** Long enough for many chunks and several windows of any reader. */
const LONG = 3_000_001;
const BREAKS = 20;

/** Bytes come in order from any offset on, and a reader may leave at any time. */
export function readTests(open: OpenProvider, names: readonly [string, string, string]): void {
  describe('read', () => {
    test.each([0, 1, 32_768, 65_536, 262_144, LONG])('%i bytes come as they are', async (size) => {
      await using bench = await ProviderBench.open(open, quiet);
      const file = await bench.published(names[0], someBytes(size), quiet);
      expect(file.size).toBe(size);
      expect(inWords(await bench.read(file, 0, quiet))).toBe(inWords(someBytes(size)));
    });

    test.each([1, 65_535, 1_000_000, LONG - 1, LONG])('from offset %i on', async (offset) => {
      await using bench = await ProviderBench.open(open, quiet);
      const file = await bench.published(names[0], someBytes(LONG), quiet);
      const expected = someBytes(LONG).subarray(offset);
      expect(inWords(await bench.read(file, offset, quiet))).toBe(inWords(expected));
    });

    test('chunks belong to the reader, who may overwrite them', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const file = await bench.published(names[0], someBytes(LONG), quiet);
      const copies: Uint8Array[] = [];
      for await (const chunk of bench.session.read(file, { offset: 0 }, quiet)) {
        copies.push(Uint8Array.from(chunk));
        chunk.fill(0);
      }
      expect(inWords(Buffer.concat(copies))).toBe(inWords(someBytes(LONG)));
      expect(inWords(await bench.read(file, 0, quiet))).toBe(inWords(someBytes(LONG)));
    });

    test('whoever leaves in the middle leaves nothing open', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const file = await bench.published(names[0], someBytes(LONG), quiet);
      for (let i = 0; i < BREAKS; i += 1) {
        for await (const chunk of bench.session.read(file, { offset: i }, quiet)) {
          if (chunk.length > 0) break;
        }
      }
      expect(await bench.session.stat(file, quiet)).toMatchObject({ size: LONG });
      expect(inWords(await bench.read(file, 0, quiet))).toBe(inWords(someBytes(LONG)));
    });

    test('a signal that is aborted in the middle ends the read with its reason, not the session', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const file = await bench.published(names[0], someBytes(LONG), quiet);
      const stop = new AbortController();
      const reason = new Error('the run was stopped');
      const reading = (async () => {
        for await (const _ of bench.session.read(file, { offset: 0 }, stop.signal)) {
          stop.abort(reason);
        }
      })();
      await expect(reading).rejects.toBe(reason);
      expect(inWords(await bench.read(file, 0, quiet))).toBe(inWords(someBytes(LONG)));
    });

    test('several files are read at a time on one session', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const contents = names.map((_, i) => someBytes(700_000 + i, i + 1));
      for (const [i, name] of names.entries()) {
        await bench.publish(name, contents[i] ?? new Uint8Array());
      }
      const files = await bench.list(quiet);
      const read = await Promise.all(
        files.map(async (file) => [file.name, inWords(await bench.read(file, 0, quiet))] as const),
      );
      const expected = names.map((name, i) => [name, inWords(contents[i])] as const);
      expect(Object.fromEntries(read)).toEqual(Object.fromEntries(expected));
    });
  });
}
