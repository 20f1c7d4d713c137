import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { scheduleOf } from '../../src/jobs/schedule.ts';
import { type Job, Timetable } from '../../src/jobs/timetable.ts';

function every(everyMs: number) {
  const schedule = scheduleOf({ schedule: undefined, timezone: 'UTC', everyMs });
  if (schedule === undefined) throw new Error('no schedule');
  return schedule;
}

function job(run: Job['run'], everyMs = 60_000, logger = new RecordingLogger()): Job {
  return { schedule: every(everyMs), logger, run };
}

/** A timetable that has begun. */
function following(clock: ManualClock, stop: AbortSignal, jobs: Readonly<Record<string, Job>>) {
  const timetable = new Timetable({ clock, graceMs: 30_000 });
  timetable.follow(new Map(Object.entries(jobs)));
  const follow = (next: Readonly<Record<string, Job>>) =>
    timetable.follow(new Map(Object.entries(next)));
  return { follow, ended: timetable.until(stop) };
}

test('pipelines run beside each other, each at its own pace', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const runs = { quick: 0, slow: 0 };
  const jobs = {
    quick: job(async () => void runs.quick++),
    slow: job(async () => {
      runs.slow++;
      await clock.sleep(150_000);
    }),
  };
  const { ended } = following(clock, stop.signal, jobs);
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
  const { ended } = following(clock, stop.signal, { work });
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
  const { ended } = following(clock, stop.signal, { work });
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
  const { ended } = following(clock, stop.signal, { work });
  await clock.untilSleeping();
  stop.abort();
  await clock.advance(40_000);
  await expect(ended).resolves.toBeUndefined();
});

test('an exchange leaves the same schedules alone and begins the others anew', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const runs: string[] = [];
  const told = (name: string, everyMs: number) => job(async () => void runs.push(name), everyMs);
  const { follow, ended } = following(clock, stop.signal, {
    kept: told('kept', 60_000),
    moved: told('moved', 60_000),
    gone: told('gone', 60_000),
  });
  await clock.advance(30_000);
  runs.length = 0;
  follow({
    kept: told('kept', 60_000),
    moved: told('moved', 45_000),
    fresh: told('fresh', 60_000),
  });
  await clock.advance(0);
  expect(runs.splice(0).toSorted()).toEqual(['fresh', 'moved']);
  await clock.advance(30_000);
  expect(runs).toEqual(['kept']);
  await clock.advance(15_000);
  expect(runs).toEqual(['kept', 'moved']);
  stop.abort();
  await clock.advance(0);
  await ended;
  expect(clock.pending).toBe(0);
});

test('a job that is removed while it runs ends its run, and never runs beside itself when it is back', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const logger = new RecordingLogger();
  const story: string[] = [];
  const slow = job(
    async (signal) => {
      story.push('begin');
      await clock.sleep(20_000, signal);
      story.push('end');
      throw new Error('too late');
    },
    60_000,
    logger,
  );
  const { follow, ended } = following(clock, stop.signal, { slow });
  await clock.advance(1000);
  follow({});
  follow({ slow });
  follow({});
  follow({ slow });
  await clock.advance(18_000);
  expect(story).toEqual(['begin']);
  await clock.advance(1000);
  expect(story).toEqual(['begin', 'end', 'begin']);
  expect(logger.messages('error')).toEqual(['the run failed; the next one tries again']);
  stop.abort();
  follow({});
  await clock.advance(20_000);
  await ended;
  expect(story).toEqual(['begin', 'end', 'begin', 'end']);
});
