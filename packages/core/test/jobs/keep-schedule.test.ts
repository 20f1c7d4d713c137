import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { keepSchedule } from '../../src/jobs/keep-schedule.ts';
import { scheduleOf } from '../../src/jobs/schedule.ts';

const minute = 60_000;
const everyFive = { schedule: undefined, timezone: 'UTC', everyMs: 5 * minute };

function keep(
  run: (clock: ManualClock) => Promise<void>,
  config: Parameters<typeof scheduleOf>[0] = everyFive,
) {
  const schedule = scheduleOf(config);
  if (schedule === undefined) throw new Error('no schedule');
  const clock = new ManualClock(Date.UTC(2026, 0, 16));
  const logger = new RecordingLogger();
  const stop = new AbortController();
  const ended = keepSchedule({ schedule, clock, logger, run: () => run(clock) }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  return { clock, logger, stop, ended };
}

test('a period runs at once, then again and again', async () => {
  let runs = 0;
  const { clock } = keep(async () => void runs++);
  await clock.untilSleeping();
  expect(runs).toBe(1);
  await clock.advance(5 * minute);
  expect(runs).toBe(2);
  await clock.advance(10 * minute);
  expect(runs).toBe(4);
});

test('a cron schedule runs at its times only', async () => {
  const times: number[] = [];
  const { clock } = keep(async (clock) => void times.push(clock.now()), {
    schedule: '45 3 * * *',
    timezone: 'UTC',
    everyMs: undefined,
  });
  await clock.advance(3 * 60 * minute);
  expect(times).toEqual([]);
  await clock.advance(48 * 60 * minute);
  expect(times).toEqual([Date.UTC(2026, 0, 16, 3, 45), Date.UTC(2026, 0, 17, 3, 45)]);
});

test('a time that comes during a run is skipped and said, not queued', async () => {
  const starts: number[] = [];
  const begin = Date.UTC(2026, 0, 16);
  const { clock, logger } = keep(async (clock) => {
    starts.push((clock.now() - begin) / minute);
    await clock.sleep(starts.length === 1 ? 12 * minute : 0);
  });
  await clock.advance(15 * minute);
  expect(starts).toEqual([0, 15]);
  expect(logger.messages('warn')).toEqual([
    'a run was skipped because the one before took too long',
  ]);
});

test('a run that fails is logged, and the next time tries again', async () => {
  let runs = 0;
  const { clock, logger } = keep(async () => {
    runs++;
    throw new Error('no route to host');
  });
  await clock.advance(5 * minute);
  expect(runs).toBe(2);
  expect(logger.messages('error')).toEqual(
    Array(2).fill('the run failed; the next one tries again'),
  );
});

test('stopping while waiting ends at once, without a run', async () => {
  let runs = 0;
  const { clock, stop, ended } = keep(async () => void runs++);
  await clock.untilSleeping();
  stop.abort();
  await ended;
  expect(runs).toBe(1);
});
