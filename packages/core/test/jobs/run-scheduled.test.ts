import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { runScheduled, type Job } from '../../src/jobs/run-scheduled.ts';
import { scheduleOf } from '../../src/jobs/schedule.ts';

const schedule = scheduleOf({ schedule: undefined, timezone: 'UTC', everyMs: 60_000 });

function job(run: Job['run']): Job {
  if (schedule === undefined) throw new Error('no schedule');
  return { schedule, logger: new RecordingLogger(), run };
}

test('pipelines run beside each other, each at its own pace', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const runs = { quick: 0, slow: 0 };
  const jobs = [
    job(async () => void runs.quick++),
    job(async () => {
      runs.slow++;
      await clock.sleep(150_000);
    }),
  ];
  const ended = runScheduled(jobs, { clock, graceMs: 30_000 }, stop.signal);
  await clock.advance(180_000);
  expect(runs).toEqual({ quick: 4, slow: 2 });
  stop.abort();
  await clock.advance(150_000);
  await ended;
});

test('a stop lets a running job end within its grace', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  let outcome = '';
  const work = job(async (signal) => {
    await clock.sleep(20_000, signal);
    outcome = 'ended by itself';
  });
  const ended = runScheduled([work], { clock, graceMs: 30_000 }, stop.signal);
  await clock.untilSleeping();
  stop.abort();
  await clock.advance(20_000);
  await ended;
  expect(outcome).toBe('ended by itself');
  expect(clock.pending).toBe(0);
});

test('a job that needs longer than the grace is aborted with the reason of the stop', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  let reason: unknown;
  const work = job(async (signal) => {
    await clock.sleep(3_600_000, signal).catch((error: unknown) => {
      reason = error;
    });
  });
  const ended = runScheduled([work], { clock, graceMs: 30_000 }, stop.signal);
  await clock.untilSleeping();
  stop.abort('the reason');
  await clock.advance(29_000);
  expect(reason).toBeUndefined();
  await clock.advance(1000);
  await ended;
  expect(reason).toBe('the reason');
});

test('a job that ignores its abort does not keep the host alive', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const work = job(async () => await clock.sleep(3_600_000));
  const ended = runScheduled([work], { clock, graceMs: 30_000 }, stop.signal);
  await clock.untilSleeping();
  stop.abort();
  await clock.advance(40_000);
  await expect(ended).resolves.toBeUndefined();
});
