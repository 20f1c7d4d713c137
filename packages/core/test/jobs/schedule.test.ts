import { expect, test } from 'vitest';
import { scheduleOf } from '../../src/jobs/schedule.ts';

const cron = (schedule: string, timezone = 'UTC') =>
  scheduleOf({ schedule, timezone, everyMs: undefined });
const time = (text: string) => Date.parse(text);
const shown = (ms: number | undefined) => (ms === undefined ? ms : new Date(ms).toISOString());

test('a cron expression names its times in UTC', () => {
  const schedule = cron('45 3 * * 2-6');
  // 2026-01-16 is a Friday: the next day that counts is Saturday, then Tuesday.
  expect(shown(schedule?.next(time('2026-01-16T03:45:00Z'), 0))).toBe('2026-01-17T03:45:00.000Z');
  expect(shown(schedule?.next(time('2026-01-17T03:45:00Z'), 0))).toBe('2026-01-20T03:45:00.000Z');
});

test('a cron expression keeps its local hour when the clocks change', () => {
  const schedule = cron('0 19 * * *', 'America/Los_Angeles');
  expect(shown(schedule?.next(time('2026-03-07T12:00:00Z'), 0))).toBe('2026-03-08T03:00:00.000Z');
  expect(shown(schedule?.next(time('2026-03-08T12:00:00Z'), 0))).toBe('2026-03-09T02:00:00.000Z');
});

test('a local hour that does not exist on the day of the change runs an hour later, once', () => {
  const schedule = cron('30 2 * * *', 'America/New_York');
  const skipped = schedule?.next(time('2026-03-08T05:00:00Z'), 0);
  const after = schedule?.next(skipped ?? 0, 0);
  expect(shown(after)).toBe('2026-03-09T06:30:00.000Z');
});

test('a local hour that comes twice on the day of the change runs once', () => {
  const schedule = cron('30 1 * * *', 'America/New_York');
  const first = schedule?.next(time('2026-11-01T04:00:00Z'), 0);
  expect(shown(first)).toBe('2026-11-01T05:30:00.000Z');
  expect(shown(schedule?.next(first ?? 0, 0))).toBe('2026-11-02T06:30:00.000Z');
});

test('a cron schedule waits for its time; a period starts at once', () => {
  expect(cron('0 3 * * *')?.atOnce).toBe(false);
  expect(scheduleOf({ schedule: undefined, timezone: 'UTC', everyMs: 60_000 })?.atOnce).toBe(true);
});

test('a period counts from the start, however long a run took', () => {
  const every = scheduleOf({ schedule: undefined, timezone: 'UTC', everyMs: 300_000 });
  expect(every?.next(1_000_000, 1_000_000)).toBe(1_300_000);
  expect(every?.next(1_299_999, 1_000_000)).toBe(1_300_000);
  expect(every?.next(1_300_000, 1_000_000)).toBe(1_600_000);
  expect(every?.text).toBe('every 5 min');
});

test('a pipeline without schedule and period has none', () => {
  expect(scheduleOf({ schedule: undefined, timezone: 'UTC', everyMs: undefined })).toBeUndefined();
});
