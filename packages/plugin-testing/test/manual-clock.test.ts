import { expect, test } from 'vitest';
import { ManualClock } from '../src/manual-clock.ts';

test('time stands still until it is advanced', async () => {
  const clock = new ManualClock(1000);
  await clock.advance(250);
  expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
});

test('sleepers wake in the order in which they are due, at the time they asked for', async () => {
  const clock = new ManualClock(0);
  const woken: string[] = [];
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push(`${name}@${clock.now()}`);
  };
  const all = [sleeper('late', 300), sleeper('early', 100), sleeper('never', 1000)];
  await clock.advance(500);
  expect(woken).toEqual(['early@100', 'late@300']);
  expect(clock.pending).toBe(1);
  await clock.advance(500);
  await Promise.all(all);
});

test('one advance wakes somebody who sleeps again and again', async () => {
  const clock = new ManualClock();
  let rounds = 0;
  const done = (async () => {
    for (; rounds < 5; rounds += 1) await clock.sleep(100);
  })();
  await clock.advance(500);
  await done;
  expect(rounds).toBe(5);
});

test('an aborted sleep rejects with the reason of its signal and is forgotten', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const sleeping = clock.sleep(100, stop.signal);
  const reason = new Error('enough');
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(clock.sleep(100, stop.signal)).rejects.toBe(reason);
  expect(clock.pending).toBe(0);
});

test('a sleep of nothing returns at once', async () => {
  await expect(new ManualClock().sleep(0)).resolves.toBeUndefined();
});

test('untilSleeping resolves when enough sleepers wait', async () => {
  const clock = new ManualClock();
  let ready = false;
  const watching = clock.untilSleeping(2).then(() => (ready = true));
  const first = clock.sleep(1);
  await clock.advance(0);
  expect(ready).toBe(false);
  const second = clock.sleep(1);
  await watching;
  await clock.advance(1);
  await Promise.all([first, second]);
});
