import { describe, expect, test } from 'vitest';
import { quiet, errorTypeOf, inWords, someBytes } from './observations.ts';
import { ProviderBench, versionOf, type OpenProvider } from './provider-suite/provider-bench.ts';
import { doneTests } from './provider-suite/done-tests.ts';
import { readTests } from './provider-suite/read-tests.ts';

export type {
  OpenProvider,
  ProviderUnderTest,
  VendorFile,
} from './provider-suite/provider-bench.ts';

export interface ProviderSuiteOptions {
  /** Three different file names that this provider lists. Default: `one.csv`, `two.csv`, `three.csv`. */
  readonly names?: readonly [string, string, string];
}

/**
 * Holds a provider to every sentence of the contract in `@octo/plugin-api`. Call it in a vitest file; `open` is called
 * once a test and gives a vendor whose place is empty.
 */
export function providerSuite(
  name: string,
  open: OpenProvider,
  options: ProviderSuiteOptions = {},
): void {
  const names = options.names ?? ['one.csv', 'two.csv', 'three.csv'];
  describe(`${name} keeps the contract of a provider`, () => {
    listTests(open, names);
    readTests(open, names);
    doneTests(open, names);
    lifecycleTests(open, names);
  });
}

function listTests(open: OpenProvider, names: readonly [string, string, string]): void {
  describe('list and stat', () => {
    test('an empty place is an empty answer', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      expect(await bench.list(quiet)).toEqual([]);
    });

    test('every file is listed with its name and size, under a path of its own', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      for (const [i, name] of names.entries()) await bench.publish(name, someBytes(100 + i));
      const listed = await bench.list(quiet);
      const seen = Object.fromEntries(listed.map((file) => [file.name, file.size]));
      expect(seen).toEqual(Object.fromEntries(names.map((name, i) => [name, 100 + i])));
      expect(new Set(listed.map(({ path }) => path)).size).toBe(names.length);
      expect(listed.filter((file) => file.refused !== undefined)).toEqual([]);
    });

    test('a file that did not change is the same version in every listing and session', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const first = await bench.published(names[0], someBytes(100), quiet);
      const session = await bench.connect(quiet);
      const again = await Array.fromAsync(session.list(quiet));
      expect(again.map(versionOf)).toEqual([versionOf(first)]);
      expect(versionOf(await bench.session.stat(first, quiet))).toEqual(versionOf(first));
    });

    test('a file that was published again is another version', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const old = await bench.published(names[0], someBytes(100), quiet);
      await bench.publish(names[0], someBytes(101), 1);
      const [fresh] = await bench.list(quiet);
      expect(fresh).toMatchObject({ path: old.path, size: 101 });
      expect(fresh?.mtimeMs).not.toBe(old.mtimeMs);
      expect(versionOf(await bench.session.stat(old, quiet))).toEqual(versionOf(fresh));
    });

    test('a listing can be left early', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      for (const name of names) await bench.publish(name, someBytes(10));
      let seen = 0;
      for await (const _ of bench.session.list(quiet)) {
        seen += 1;
        break;
      }
      expect(seen).toBe(1);
      expect(await bench.list(quiet)).toHaveLength(names.length);
    });

    test('what the vendor took away is not there any more', async ({ skip }) => {
      await using bench = await ProviderBench.open(open, quiet);
      const remove = bench.vendor.remove?.bind(bench.vendor) ?? skip('nobody can take files away');
      const file = await bench.published(names[0], someBytes(300_000), quiet);
      await remove(names[0]);
      expect(await bench.session.stat(file, quiet)).toBeUndefined();
      expect(await errorTypeOf(bench.read(file, 0, quiet))).toBe('not_found');
      expect(await bench.list(quiet)).toEqual([]);
    });
  });
}

function lifecycleTests(open: OpenProvider, names: readonly [string, string, string]): void {
  describe('lifecycle', () => {
    test('a settle time is a number of milliseconds', async () => {
      await using vendor = await open();
      expect(vendor.provider.settleMs).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(vendor.provider.settleMs)).toBe(true);
      await vendor.provider[Symbol.asyncDispose]?.();
    });

    test('disposal is safe without start, and twice', async () => {
      await using vendor = await open();
      await vendor.provider[Symbol.asyncDispose]?.();
      await expect(
        Promise.resolve(vendor.provider[Symbol.asyncDispose]?.()),
      ).resolves.toBeUndefined();
    });

    test('a session is disposed twice without harm, and disturbs no other one', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const file = await bench.published(names[0], someBytes(1000), quiet);
      const session = await bench.connect(quiet);
      await session[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      expect(inWords(await bench.read(file, 0, quiet))).toBe(inWords(someBytes(1000)));
    });

    test('the signal of connect does not end the session', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const connecting = new AbortController();
      const session = await bench.connect(connecting.signal);
      await bench.publish(names[0], someBytes(10));
      connecting.abort(new Error('connecting is over'));
      expect(await Array.fromAsync(session.list(quiet))).toHaveLength(1);
    });

    test('an aborted signal is answered with its reason', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      const { provider, session } = bench;
      const file = await bench.published(names[0], someBytes(1000), quiet);
      const reason = new Error('the run was stopped');
      const stopped = AbortSignal.abort(reason);
      await expect(provider.connect(stopped)).rejects.toBe(reason);
      await expect(bench.list(stopped)).rejects.toBe(reason);
      await expect(session.stat(file, stopped)).rejects.toBe(reason);
      await expect(bench.read(file, 0, stopped)).rejects.toBe(reason);
      const done = session.done?.(file, 'd', stopped) ?? Promise.reject(reason);
      await expect(done).rejects.toBe(reason);
      expect(inWords(await bench.read(file, 0, quiet))).toBe(inWords(someBytes(1000)));
    });

    test('a healthy vendor is healthy, and the diagnosis passes', async () => {
      await using bench = await ProviderBench.open(open, quiet);
      await bench.publish(names[0], someBytes(10));
      await bench.provider.health?.(quiet);
      const steps = await Array.fromAsync(bench.provider.diagnose?.(quiet) ?? []);
      expect(steps.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      expect(await bench.list(quiet)).toHaveLength(1);
    });
  });
}
