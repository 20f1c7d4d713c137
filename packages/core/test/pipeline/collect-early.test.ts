import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MIB = 2 ** 20;
const MODULE = new URL('../../src/pipeline/collect-early.ts', import.meta.url).href;

/** The size of the young generation of a process that has made 100 MB of objects, some of which live on. */
async function youngBytes(prepare: string): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    ${prepare}
    const kept = [];
    for (let i = 0; i < 1e6; i++) kept[i % 50_000] = { i, more: [i, i, i] };
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(young.space_size, kept.length);`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
  ]);
  return Number(stdout.split(' ')[0]);
}

test('the young generation stays small, which V8 alone lets grow', async () => {
  const early = `import { collectEarly } from '${MODULE}'; collectEarly();`;
  expect(await youngBytes(early)).toBeLessThanOrEqual(4 * MIB);
  expect(await youngBytes('')).toBeGreaterThan(4 * MIB);
});

/** How often the whole heap is marked while 512 MiB pass in buffers of 64 KiB, of which a few are held at a time. */
async function markings(pass: string): Promise<number> {
  const script = `
    import { PerformanceObserver, constants } from 'node:perf_hooks';
    import { collectEarly, bytesPassed } from '${MODULE}';
    collectEarly();
    let marked = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries())
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) marked += 1;
    });
    observer.observe({ entryTypes: ['gc'] });
    const held = [];
    for (let i = 0; i < 8192; i++) {
      held[i % 8] = Buffer.allocUnsafeSlow(65_536);
      ${pass}
      if (i % 64 === 0) await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
    console.log(marked, held.length);`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
  ]);
  return Number(stdout.split(' ')[0]);
}

test('buffers that have passed are collected before V8 marks its whole heap because of them', async () => {
  const told = await markings('bytesPassed(2 * 65_536);');
  expect(told).toBeLessThanOrEqual(2);
  expect(await markings('')).toBeGreaterThan(told);
});
