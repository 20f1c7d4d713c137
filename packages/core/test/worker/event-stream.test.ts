import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/pipeline/run-report.ts';
import { EventStream } from '../../src/worker/event-stream.ts';

test('what was read is told four times a second, and before whatever else happens', async () => {
  const clock = new ManualClock();
  const told: RunEvent[] = [];
  const stream = new EventStream((event) => told.push(event), clock);
  stream.flush();
  for (let chunk = 0; chunk < 100; chunk++) {
    await clock.advance(10);
    stream.add({ event: 'read', path: 'a', bytes: 1 });
  }
  expect(told).toEqual(Array.from({ length: 4 }, () => ({ event: 'read', path: 'a', bytes: 25 })));
  stream.add({ event: 'read', path: 'a', bytes: 3 });
  stream.add({ event: 'retrying', path: 'a', reason: 'gone' });
  expect(told.slice(4)).toEqual([
    { event: 'read', path: 'a', bytes: 3 },
    { event: 'retrying', path: 'a', reason: 'gone' },
  ]);
});
