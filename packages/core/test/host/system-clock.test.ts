import { expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';

test('sleeping ends after its time', async () => {
  const before = systemClock.monotonic();
  await systemClock.sleep(5);
  expect(systemClock.monotonic()).toBeGreaterThan(before);
  expect(systemClock.now()).toBeGreaterThan(Date.UTC(2026, 0, 1));
});

test('sleeping ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const sleeping = systemClock.sleep(60_000, stop.signal);
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(systemClock.sleep(0, stop.signal)).rejects.toBe(reason);
});

test('sleeping longer than a timer can does not end at once', async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(2 ** 40, stop.signal);
  const first = await Promise.race([sleeping.then(() => 'woke'), systemClock.sleep(5)]);
  expect(first).toBeUndefined();
  stop.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
});
