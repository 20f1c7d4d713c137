import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { Throttle } from '../src/throttle.ts';

const never = new AbortController().signal;

test('so many pass at once as the burst allows, then one after the other', async () => {
  const clock = new ManualClock();
  const passed = passing(new Throttle({ clock, perSecond: 10, burst: 3 }), 6);
  await clock.advance(0);
  expect(passed).toEqual([0, 1, 2]);
  await clock.advance(99);
  expect(passed).toHaveLength(3);
  await clock.advance(1);
  expect(passed).toHaveLength(4);
  await clock.advance(200);
  expect(passed).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a quiet time fills the bucket again, and no further', async () => {
  const clock = new ManualClock();
  const throttle = new Throttle({ clock, perSecond: 10, burst: 3 });
  passing(throttle, 3);
  await clock.advance(60_000);
  const passed = passing(throttle, 5);
  await clock.advance(0);
  expect(passed).toHaveLength(3);
});

test('in any minute no more pass than the rate and one burst', async () => {
  const clock = new ManualClock();
  const passed = passing(new Throttle({ clock, perSecond: 20, burst: 20 }), 5000);
  await clock.advance(60_000);
  expect(passed.length).toBeLessThanOrEqual(1200 + 20);
  expect(passed.length).toBeGreaterThanOrEqual(1200);
});

test('a pause holds everybody back, and empties the bucket', async () => {
  const clock = new ManualClock();
  const throttle = new Throttle({ clock, perSecond: 10, burst: 3 });
  throttle.pause(5000);
  const passed = passing(throttle, 3);
  await clock.advance(4999);
  expect(passed).toEqual([]);
  await clock.advance(1);
  expect(passed).toEqual([0]);
  await clock.advance(200);
  expect(passed).toEqual([0, 1, 2]);
});

test('whoever is aborted while waiting gets the reason', async () => {
  const clock = new ManualClock();
  const throttle = new Throttle({ clock, perSecond: 1, burst: 1 });
  await throttle.take(never);
  const stop = new AbortController();
  const waiting = throttle.take(stop.signal);
  const reason = new Error('the run was stopped');
  stop.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(throttle.take(stop.signal)).rejects.toBe(reason);
});

function passing(throttle: Throttle, count: number): number[] {
  const passed: number[] = [];
  for (let i = 0; i < count; i++) void throttle.take(never).then(() => passed.push(i));
  return passed;
}
