import { expect, test } from 'vitest';
import { searchEverything } from './search-everything.ts';

test('no secret comes out of a host whose plugins, vendors and stores tell them', async () => {
  const found = await searchEverything(
    {
      tells: { from: { connect: 'waits', list: 'logs', read: 'throws' } },
      prints: { from: { connect: 'prints', list: 'refuses' }, sinkAt: 'stage' },
    },
    { commands: [['audit', 'export']], faults: 2 },
  );
  expect(found).toEqual([]);
}, 90_000);
