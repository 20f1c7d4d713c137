import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { ServerClock } from '../../src/rest/server-clock.ts';

test('what a server says of its time is taken over, and goes on with ours', async () => {
  const clock = new ManualClock();
  const server = new ServerClock(clock);
  expect(server.now()).toBe(clock.now());
  expect(server.correct(clock.now() + 3_600_000)).toBe(true);
  await clock.advance(1000);
  expect(server.now()).toBe(clock.now() + 3_600_000);
  expect(server.aheadMs).toBe(3_600_000);
});

test('a second word to the same effect changes nothing', () => {
  const clock = new ManualClock();
  const server = new ServerClock(clock);
  expect(server.correct(clock.now() + 9_000)).toBe(false);
  expect(server.correct(clock.now() - 400_000)).toBe(true);
  expect(server.correct(clock.now() - 401_000)).toBe(false);
  expect(server.now()).toBe(clock.now() - 400_000);
});
