import { expect, test } from 'vitest';
import { openWorkshop, shelfModule } from './workshop.ts';

/** It counts a request of its own in each listing. */
const counting = shelfModule
  .replace('inject: {}', "inject: { limit: { id: 'octo:rate-limit@1' } }")
  .replace('create: ({ id,', 'create: ({ limit, id,')
  .replace(
    'list: async function* () {',
    'list: async function* (signal) { await limit.take(signal);',
  );

test('what a worker asks of its vendor, and what its plugin counts, goes through the host; without a rate nothing does', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/shelf/index.mjs', counting);
  const shelf = { use: './plugins/shelf/index.mjs', config: { files: { 'a.csv': 'x' } } };
  const lake = { use: '@octo/sink-fs', config: { directory: './out' } };
  const asked: string[] = [];
  const { run } = await workshop.host(
    {
      plugins: {
        paced: { ...shelf, policy: { rate: { requests: 20 } } },
        free: shelf,
        lake,
      },
      pipelines: {
        slow: { from: 'paced', to: 'lake', key: 'slow-{name}' },
        fast: { from: 'free', to: 'lake', key: 'fast-{name}' },
      },
    },
    { pace: async (instance) => asked.push(instance) && 0 },
  );
  expect((await run('fast')).delivered).toHaveLength(1);
  expect(asked).toEqual([]);
  expect((await run('slow')).delivered).toHaveLength(1);
  expect(new Set(asked)).toEqual(new Set(['paced']));
  // Connecting, listing and the plugin's own, opening.
  expect(asked.length).toBeGreaterThanOrEqual(4);
});
