import { expect, test } from 'vitest';
import { chosenRuns, dueTimes } from '../../src/jobs/due-runs.ts';
import { scheduleOf } from '../../src/jobs/schedule.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.UTC(2026, 0, 16, 12);
const nightly = scheduleOf({ schedule: '45 3 * * *', timezone: 'UTC', everyMs: undefined })!;
const night = (date: number) => Date.UTC(2026, 0, date, 3, 45);

test('all times since the last one that was dealt with have come, in order', () => {
  const times = dueTimes(nightly, { anchor: 0, last: night(13) }, now);
  expect(times).toEqual([night(14), night(15), night(16)]);
  expect(dueTimes(nightly, { anchor: 0, last: night(16) }, now)).toEqual([]);
});

test('what lies back more than a week, and more than the newest hundred, is not caught up with', () => {
  const times = dueTimes(nightly, { anchor: 0, last: now - 400 * day }, now);
  expect(times).toHaveLength(7);
  const often = scheduleOf({ schedule: undefined, timezone: 'UTC', everyMs: 60_000 })!;
  const many = dueTimes(often, { anchor: 0, last: now - day }, now);
  expect(many).toHaveLength(100);
  expect(many.at(-1)).toBe(now);
});

test('none, the last or all of the missed times become runs; one that has just come is no catch-up', () => {
  const missed = [night(14), night(15), night(16)];
  expect(chosenRuns(missed, 'none', now)).toEqual([]);
  expect(chosenRuns(missed, 'last', now)).toEqual([{ at: night(16), trigger: 'catch-up' }]);
  expect(chosenRuns(missed, 'all', now).map(({ at }) => at)).toEqual(missed);
  const justNow = night(16) + 1000;
  for (const catchUp of ['none', 'last'] as const)
    expect(chosenRuns(missed, catchUp, justNow)).toEqual([{ at: night(16), trigger: 'schedule' }]);
});
