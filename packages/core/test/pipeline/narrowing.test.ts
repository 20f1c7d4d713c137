import { expect, test } from 'vitest';
import { isWithin } from '../../src/pipeline/narrowing.ts';
import { PipelineBench } from './pipeline-bench.ts';

const JANUARY = Date.UTC(2026, 0, 1);
const FEBRUARY = Date.UTC(2026, 1, 1);

async function twoMonths(): Promise<PipelineBench> {
  const bench = await PipelineBench.open();
  bench.vendor.publish('january/a.csv', 'one', JANUARY);
  bench.vendor.publish('february/a.csv', 'two', FEBRUARY);
  bench.vendor.publish('february/b.csv', 'three', FEBRUARY + 1);
  return bench;
}

test('a run since some time looks at what the vendor changed at that time or later, and at nothing else', async () => {
  await using bench = await twoMonths();
  const report = await bench.run({ only: { since: FEBRUARY } });
  expect(report).toMatchObject({ discovered: 2, pending: [], failed: [] });
  expect(report.delivered.map(({ path }) => path).toSorted()).toEqual([
    'february/a.csv',
    'february/b.csv',
  ]);
});

test('a run of a path delivers what matches, and the next full run the rest', async () => {
  await using bench = await twoMonths();
  const some = await bench.run({ only: { path: '*/a.csv' } });
  expect(some.delivered.map(({ path }) => path).toSorted()).toEqual([
    'february/a.csv',
    'january/a.csv',
  ]);
  const rest = await bench.run();
  expect(rest.delivered.map(({ path }) => path)).toEqual(['february/b.csv']);
});

test('what an earlier run left open is taken up only when it is meant', async () => {
  await using bench = await twoMonths();
  bench.vendor.onChunk = () => {
    throw new Error('not today');
  };
  const broken = await bench.run();
  expect(broken.failed).toHaveLength(3);
  bench.vendor.onChunk = () => {};
  const report = await bench.run({ only: { path: 'january/*' } });
  expect(report.delivered.map(({ path }) => path)).toEqual(['january/a.csv']);
  expect(report.pending).toEqual([]);
  expect(bench.events.findLast(({ event }) => event === 'listed')).toMatchObject({
    files: 1,
    toDeliver: 1,
  });
});

test('a pattern means itself, but for its stars', () => {
  const matches = (path: string, text: string) => isWithin({ path })({ path: text, mtimeMs: 0 });
  expect(matches('a.csv', 'a.csv')).toBe(true);
  expect(matches('a.csv', 'abcsv')).toBe(false);
  expect(matches('a.csv', 'in/a.csv')).toBe(false);
  expect(matches('in/*(1).csv', 'in/x/y\n(1).csv')).toBe(true);
  expect(matches('*', '')).toBe(true);
});
