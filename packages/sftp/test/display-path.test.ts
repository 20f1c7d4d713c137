import { expect, test } from 'vitest';
import { displayPath } from '../src/index.ts';

test('what could fool a reader or a terminal is escaped, the rest stays', () => {
  expect(displayPath('/outbound/été 😀.csv')).toBe('/outbound/été 😀.csv');
  expect(displayPath('a\nb\u001B[31m')).toBe('a\\u{a}b\\u{1b}[31m');
  expect(displayPath('\u202Egpj.exe')).toBe('\\u{202e}gpj.exe');
  expect(displayPath('a\\u{a}')).toBe('a\\u{5c}u{a}');
  expect(displayPath('x'.repeat(1000))).toHaveLength(301);
});
