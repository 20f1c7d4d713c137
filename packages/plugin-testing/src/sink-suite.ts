import { describe } from 'vitest';
import { abortTests } from './sink-suite/abort-tests.ts';
import { commitTests } from './sink-suite/commit-tests.ts';
import { keyTests } from './sink-suite/key-tests.ts';
import { lifecycleTests } from './sink-suite/lifecycle-tests.ts';
import type { OpenSink } from './sink-suite/sink-bench.ts';
import { stagingTests } from './sink-suite/staging-tests.ts';

export type { OpenSink, SinkUnderTest } from './sink-suite/sink-bench.ts';

export interface SinkSuiteOptions {
  /**
   * Sizes at which this sink changes what it does, in bytes, such as its part size. Objects of one byte less, exactly as
   * many, one more and twice as many are written. Default: 64 KiB and 1 MiB.
   */
  readonly boundaryBytes?: readonly number[];
}

/**
 * Holds a sink to every sentence of the contract in `@octo/plugin-api`. Call it in a vitest file; `open` is called once
 * a test and gives a fresh, empty place. Tests of what a place cannot do (a stranger's object, a second instance) report
 * themselves as skipped, with the reason.
 *
 * @example
 * sinkSuite('the folder sink', async () => {
 *   const folder = await mkdtemp(join(tmpdir(), 'sink-'));
 *   return { sink: new MySink(folder), another: () => new MySink(folder), readObject, listKeys, ... };
 * });
 */
export function sinkSuite(name: string, open: OpenSink, options: SinkSuiteOptions = {}): void {
  describe(`${name} keeps the contract of a sink`, () => {
    stagingTests(open, options.boundaryBytes ?? [64 * 1024, 1024 * 1024]);
    commitTests(open);
    abortTests(open);
    keyTests(open);
    lifecycleTests(open);
  });
}
