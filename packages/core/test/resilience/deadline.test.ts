import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { withDeadline } from '../../src/resilience/deadline.ts';

const never = new AbortController().signal;

test('an operation that ignores its signal is given up at the deadline', async () => {
  const clock = new ManualClock();
  const done = withDeadline('the vendor (list)', 5000, clock, never, () => new Promise(() => {}));
  const failed = done.catch((error: unknown) => error);
  await clock.advance(5000);
  expect(await failed).toMatchObject({
    type: 'network',
    code: 'TIMEOUT',
    message: 'the vendor (list) did not answer within 5000 ms',
  });
});

test('the operation hears of the deadline through its signal', async () => {
  const clock = new ManualClock();
  let heard: AbortSignal | undefined;
  const done = withDeadline('x', 1000, clock, never, (signal) => {
    heard = signal;
    return new Promise(() => {});
  });
  done.catch(() => {});
  await clock.advance(1000);
  expect(heard?.aborted).toBe(true);
});

test('what is in time is handed through, and no sleeper stays behind', async () => {
  const clock = new ManualClock();
  expect(await withDeadline('x', 1000, clock, never, () => Promise.resolve(7))).toBe(7);
  expect(clock.pending).toBe(0);
});

test('an outer signal that is aborted already starts nothing', async () => {
  let started = false;
  const done = withDeadline(
    'x',
    1000,
    new ManualClock(),
    AbortSignal.abort(new Error('over')),
    () => {
      started = true;
      return Promise.resolve();
    },
  );
  await expect(done).rejects.toThrow('over');
  expect(started).toBe(false);
});
