import { expect, test } from 'vitest';
import { DatedName } from '../src/dated-name.ts';

const NEW_YORK = 'America/New_York';

test('the day is that of the time zone', () => {
  const name = new DatedName('octoEod{date:yyyyMMdd}', NEW_YORK);
  expect(name.at(Date.UTC(2026, 0, 16, 4, 59))).toBe('octoEod20260115');
  expect(name.at(Date.UTC(2026, 0, 16, 5, 0))).toBe('octoEod20260116');
  expect(new DatedName('px{date:MMddyy}a.out', 'UTC').at(Date.UTC(2026, 0, 16))).toBe(
    'px011626a.out',
  );
});

test('a name without a date is the same every day', () => {
  const name = new DatedName('octoEod', NEW_YORK);
  expect(name.isDated).toBe(false);
  expect(name.at(0)).toBe('octoEod');
});

test('names of all days are known again, and no others', () => {
  const name = new DatedName('px{date:MMdd}a.out', NEW_YORK);
  expect(name.matches('px0115a.out')).toBe(true);
  expect(name.matches('px0115aXout')).toBe(false);
  expect(name.matches('px015a.out')).toBe(false);
  expect(name.matches('xpx0115a.out')).toBe(false);
  expect(name.matches('px0115a.out.gz')).toBe(false);
  expect(name.prefix).toBe('px');
});

test.each([
  ['px{date}.out', NEW_YORK, /no other braces/],
  ['px{date:MMM}.out', NEW_YORK, /other parts than/],
  ['px.out', 'Mars/Olympus', /no time zone/],
])('%s in %s is refused', (template, timezone, message) => {
  expect(() => new DatedName(template, timezone)).toThrow(message);
});
