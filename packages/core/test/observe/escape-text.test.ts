import { expect, test } from 'vitest';
import { escapeText } from '../../src/observe/escape-text.ts';

test.each([
  ['\u001b[31mred', '\\x1b[31mred'],
  ['a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['\u009b2J', '\\x9b2J'],
  ['invoice\u202efdp.exe', 'invoice\\u202efdp.exe'],
  ['zero\u200bwidth', 'zero\\u200bwidth'],
  ['tag\u{e0041}', 'tag\\u{e0041}'],
  ['\ufeffmark', '\\ufeffmark'],
])('%j is shown as %s', (text, shown) => {
  expect(escapeText(text)).toBe(shown);
});

test.each(['plain', 'Zürich 東京 🐙', 'a\\b', '{"a": 1}'])('%s stays as it is', (text) => {
  expect(escapeText(text)).toBe(text);
});

test('half a character becomes a replacement character', () => {
  expect(escapeText('a\ud800b')).toBe('a\ufffdb');
});
