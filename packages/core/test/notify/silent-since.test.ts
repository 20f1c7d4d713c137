import { expect, test } from 'vitest';
import { silentSince } from '../../src/notify/silent-since.ts';

const time = (text: string) => Date.parse(text);
const hours = (count: number) => count * 3_600_000;
const daily = {
  schedule: '45 3 * * *',
  timezone: 'UTC',
  everyMs: undefined,
  lateAfterMs: hours(2),
};
const steady = { ...daily, schedule: undefined, everyMs: hours(1) };
const before = time('2026-01-15T03:50:00Z');

test('a pipeline is late when nothing came for so long after its time, and not a moment before', () => {
  expect(silentSince(daily, before, time('2026-01-16T05:44:59Z'))).toBeUndefined();
  expect(silentSince(daily, before, time('2026-01-16T05:45:00Z'))).toBe(
    time('2026-01-16T03:45:00Z'),
  );
});

test('what came after its time is in time, however late it is now', () => {
  const delivered = time('2026-01-16T03:46:00Z');
  expect(silentSince(daily, delivered, time('2026-01-16T23:00:00Z'))).toBeUndefined();
});

test('the hour is that of the time zone', () => {
  const newYork = { ...daily, timezone: 'America/New_York' };
  expect(silentSince(newYork, before, time('2026-01-16T10:45:00Z'))).toBe(
    time('2026-01-16T08:45:00Z'),
  );
});

test('with a period, silence counts from the last delivery', () => {
  expect(silentSince(steady, before, before + hours(2) - 1)).toBeUndefined();
  expect(silentSince(steady, before, before + hours(2))).toBe(before);
});

test('without lateAfter, or without a schedule, nothing is late', () => {
  const { lateAfterMs: _, ...patient } = daily;
  expect(silentSince(patient, 0, before)).toBeUndefined();
  expect(silentSince({ ...steady, everyMs: undefined }, 0, before)).toBeUndefined();
});
