import { expect, test } from 'vitest';
import { searchEverything } from '../test/canary/search-everything.ts';

test('no secret comes out, whichever way plugins tell it, by no command and no answer', async () => {
  const found = await searchEverything(
    {
      logs: { from: { connect: 'waits', list: 'logs', read: 'rejects' } },
      prints: { from: { list: 'prints', read: 'throws', warn: 'throws' } },
      cuts: { from: { connect: 'cuts' } },
      starts: { from: { start: 'throws' } },
      dies: { from: { read: 'dies' } },
      exits: { from: { list: 'exits' } },
      refuses: { from: { list: 'refuses', warn: 'throws' }, sinkAt: 'head' },
      commits: { from: {}, sinkAt: 'commit' },
    },
    {
      faults: 5,
      commands: [
        ['lint'],
        ['check'],
        ['run', 'prints', '--json'],
        ['files', 'show', 'a.csv'],
        ['runs'],
        ['audit', 'export'],
      ],
    },
  );
  expect(found).toEqual([]);
});
