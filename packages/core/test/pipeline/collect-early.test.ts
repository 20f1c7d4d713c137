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
