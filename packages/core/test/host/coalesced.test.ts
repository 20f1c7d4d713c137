import { expect, test } from 'vitest';
import { coalesced } from '../../src/host/coalesced.ts';

test('calls that come while the work runs lead to one more run after it', async () => {
  const runs: PromiseWithResolvers<number>[] = [];
  const begun: (() => void)[] = [];
  const work = coalesced(() => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    begun.shift()?.();
    return run.promise;
  });
  const next = () => new Promise<void>((resolve) => begun.push(resolve));
  const first = next();
  const one = work();
  await first;
  const second = next();
  const more = [work(), work(), work()];
  runs[0]?.resolve(1);
  expect(await one).toBe(1);
  await second;
  runs[1]?.resolve(2);
  expect(await Promise.all(more)).toEqual([2, 2, 2]);
  expect(runs).toHaveLength(2);
});

test('a failed run is the failure of its own calls only', async () => {
  let runs = 0;
  const work = coalesced(async () => {
    runs++;
    if (runs === 1) throw new Error('once');
    return runs;
  });
  await expect(work()).rejects.toThrow('once');
  expect(await work()).toBe(2);
});
