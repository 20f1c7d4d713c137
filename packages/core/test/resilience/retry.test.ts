import { PluginError, type PluginErrorType } from '@octo/plugin-api';
import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { retry } from '../../src/resilience/retry.ts';

/** Fails `times` times, then succeeds; counts the calls and the time that passed. */
async function attempt(failure: unknown, times: number, attempts = 4) {
  const clock = new ManualClock(0);
  let calls = 0;
  const operation = async () => {
    calls++;
    if (calls <= times) throw failure;
    return 'done';
  };
  const { signal } = new AbortController();
  const options = { attempts, clock, random: () => 1, signal };
  const result = retry(operation, options).catch(String);
  await clock.advance(3_600_000);
  return { result: await result, calls };
}

test.each<PluginErrorType>(['network', 'provider_down', 'rate_limit'])(
  'a %s error is worth another attempt',
  async (type) => {
    expect(await attempt(new PluginError(type, 'once'), 1)).toEqual({ result: 'done', calls: 2 });
  },
);

test.each<PluginErrorType>(['auth', 'validation', 'not_found', 'integrity'])(
  'a %s error is final at once: a vendor account is not locked by retries',
  async (type) => {
    const error = new PluginError(type, 'no');
    expect(await attempt(error, 1)).toEqual({ result: String(error), calls: 1 });
  },
);

test('the last error is thrown when the attempts are used up', async () => {
  const error = new PluginError('network', 'still down');
  expect(await attempt(error, 100, 3)).toEqual({ result: String(error), calls: 3 });
});

test('who asks to be left alone for longer than half a minute is not asked again in the same call', async () => {
  const error = new PluginError('rate_limit', '429', { retryAfterMs: 30_001 });
  expect(await attempt(error, 1)).toEqual({ result: String(error), calls: 1 });
});

test('it waits as long as the vendor asks', async () => {
  const clock = new ManualClock(0);
  const times: number[] = [];
  const operation = async () => {
    times.push(clock.monotonic());
    if (times.length === 1) throw new PluginError('rate_limit', 'slow', { retryAfterMs: 7000 });
  };
  const { signal } = new AbortController();
  const done = retry(operation, { attempts: 2, clock, random: () => 0, signal });
  await clock.advance(60_000);
  await done;
  expect(times).toEqual([0, 7000]);
});

test('an aborted signal ends the waiting with its reason', async () => {
  const clock = new ManualClock(0);
  const controller = new AbortController();
  const operation = () => Promise.reject(new PluginError('network', 'down'));
  const options = { attempts: 9, clock, random: () => 0, signal: controller.signal };
  const done = retry(operation, options);
  await clock.untilSleeping();
  controller.abort(new Error('stopped'));
  await expect(done).rejects.toThrow('stopped');
});
