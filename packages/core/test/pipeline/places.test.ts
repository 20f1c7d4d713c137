import { MemorySink } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import type { PipelineConfig } from '../../src/manifest/manifest.ts';
import { placeLimits, Places } from '../../src/pipeline/places.ts';
import type { Pipeline } from '../../src/pipeline/run-pipeline.ts';
import { defaultConfig, PipelineBench } from './pipeline-bench.ts';

const { concurrency: _, ...unlimited } = defaultConfig;
const LARGE = 'x'.repeat(200 * 1024);

function limitsOf(config: PipelineConfig, steps = 0, smallBytes = 0) {
  const sink = new MemorySink({ smallBytes });
  return placeLimits({ config, sink, steps: Array.from({ length: steps }) } as unknown as Pipeline);
}

test('the number in the manifest is the number of files in flight', () => {
  expect(limitsOf({ ...unlimited, concurrency: 7 })).toEqual({ most: 7, mostSmall: 0 });
});

test('without a number there are few of any size and many small ones, as memory allows', () => {
  expect(limitsOf(unlimited)).toEqual({ most: 4, mostSmall: 124 });
  expect(limitsOf(unlimited, 0, 8 * 1024 ** 2)).toEqual({ most: 4, mostSmall: 124 });
  // What comes out of a step may be larger than the file.
  expect(limitsOf(unlimited, 1, 8 * 1024 ** 2)).toEqual({ most: 4, mostSmall: 4 });
});

test('places are counted by their kind, and come back', async () => {
  const places = new Places({ most: 1, mostSmall: 2 });
  const [any, small] = places.rooms();
  expect(any).toEqual({ count: 1 });
  expect(small).toMatchObject({ count: 2, maxBytes: 128 * 1024 });
  const work = Promise.withResolvers<void>();
  places.take(any!, work.promise);
  expect(places.rooms()).toEqual([small]);
  places.take(small!, new Promise(() => {}));
  expect(places.rooms()).toMatchObject([{ count: 1 }]);
  const left = places.left();
  work.resolve();
  await left;
  expect(places.rooms()).toMatchObject([{ count: 1 }, { count: 1, maxBytes: 128 * 1024 }]);
  expect([places.departures, places.areEmpty]).toEqual([1, false]);
});

test('places for small files are filled when a quarter of them is free, so that few claims take many', async () => {
  const places = new Places({ most: 1, mostSmall: 8 });
  const small = places.rooms()[1]!;
  const works = Array.from({ length: 8 }, () => Promise.withResolvers<void>());
  for (const { promise } of works) places.take(small, promise);
  const free: unknown[] = [];
  for (const { resolve } of works.slice(0, 3)) {
    const left = places.left();
    resolve();
    await left;
    free.push(places.rooms()[1]?.count);
  }
  expect(free).toEqual([undefined, 2, 3]);
});

/** A vendor that hands out nothing of the large ones before it is told to. */
async function benchWithLarge(large: number, small: number) {
  const bench = await PipelineBench.open();
  bench.config = unlimited;
  bench.vendor.chunkBytes = LARGE.length;
  for (let n = 0; n < large; n++) bench.vendor.publish(`large-${n}`, `${n} ${LARGE}`);
  for (let n = 0; n < small; n++) bench.vendor.publish(`small-${n}`, `content ${n}`);
  const gate = Promise.withResolvers<void>();
  let reading = 0;
  let most = 0;
  bench.vendor.onChunk = async ({ path }) => {
    if (!path.startsWith('large')) return;
    most = Math.max(most, ++reading);
    await gate.promise;
    reading--;
  };
  return { bench, open: gate.resolve, most: () => most };
}

test('small files do not wait for large ones, of which there are four at a time', async () => {
  const { bench, open, most } = await benchWithLarge(6, 30);
  await using _ = bench;
  const run = bench.start();
  for (let turn = 0; turn < 10_000 && Object.keys(bench.visible()).length < 30; turn++)
    await bench.clock.advance(0);
  expect(Object.keys(bench.visible()).every((key) => key.startsWith('in/small'))).toBe(true);
  expect(Object.keys(bench.visible())).toHaveLength(30);
  open();
  const report = await bench.drive(run);
  expect(report.delivered).toHaveLength(36);
  expect(most()).toBe(4);
});

test('a file that waits for what another holds is tried as soon as that has ended', async () => {
  await using bench = await PipelineBench.open({ duplicates: 'pipeline', concurrency: 8 });
  for (let n = 0; n < 8; n++) bench.vendor.publish(`file-${n}`, 'the same content');
  const report = await bench.run();
  expect(report.delivered).toHaveLength(1);
  expect(report.duplicates).toHaveLength(7);
  expect(report.pending).toEqual([]);
});
