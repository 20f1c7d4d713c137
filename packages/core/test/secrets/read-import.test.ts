import { expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { readImport } from '../../src/secrets/read-import.ts';

const values = (text: string) =>
  Object.fromEntries(readImport(text).map(({ name, value }) => [name, value]));

const problems = (text: string): string[] => {
  try {
    readImport(text);
  } catch (error) {
    if (error instanceof OctoError) return error.issues.map(({ message }) => message);
    throw error;
  }
  return [];
};

test.each([
  ['a plain value', 'A=b', 'b'],
  ['blanks around', '  A = b c  ', 'b c'],
  ['export', 'export A=b', 'b'],
  ['a comment behind a blank', 'A=b # c', 'b'],
  ['an equals sign within', 'A=b=c==', 'b=c=='],
  ['a dollar sign', 'A=pa$$word$1', 'pa$$word$1'],
  ['single quotes', `A='b # "c" \\n $\{d}'`, 'b # "c" \\n ${d}'],
  ['double quotes', 'A="b # \'c\'"  # d', "b # 'c'"],
  ['escapes in double quotes', 'A="b\\n\\tc\\"d\\\\n\\${e}"', 'b\n\tc"d\\n${e}'],
  ['blanks in quotes', 'A=" b "', ' b '],
  ['several lines in quotes', "A='b\n  c \nd'", 'b\n  c \nd'],
  ['a value that is text in another script', 'A=пароль', 'пароль'],
])('dotenv: %s', (_, text, value) => {
  expect(values(text)).toEqual({ A: value });
  expect(values(`\uFEFF# before\r\n\r\n${text.replaceAll('\n', '\r\n')}\r\nZ=last\r\n`)).toEqual({
    A: value,
    Z: 'last',
  });
});

test.each([
  ['words', 'hunter2', 'is not NAME=value'],
  ['a colon', 'A: hunter2', 'is not NAME=value'],
  ['a name with a blank', 'A B=hunter2', 'is not NAME=value'],
  ['no value', 'A=', 'has no value'],
  ['a comment for a value', 'A=#hunter2', 'has no value'],
  ['empty quotes', 'A=""', 'has no value'],
  ['a # without quotes', 'A=hunter#2', 'has a # that some read as a comment; put it in quotes'],
  ['a quote within', `A=hunter"2`, 'has a quote within; put all of it in quotes'],
  ['a backslash', 'A=hunter\\2', 'has a backslash; put it in single quotes'],
  ['backticks', 'A=`hunter2`', 'has backticks, which some read as quotes and some do not'],
  ['a quote without an end', 'A="hunter2', 'has a quote that does not end'],
  ['text behind the quote', 'A="hunter"2', 'goes on behind its closing quote'],
  ['a variable', 'A=${hunter2}', 'refers to something else; put it in single quotes'],
  ['a command', 'A="$(hunter2)"', 'refers to something else; put it in single quotes'],
  [
    'an escape that is none',
    'A="hunter\\2"',
    'has a backslash that means nothing; double it, or use single quotes',
  ],
])('dotenv: %s is doubtful, and said by its number alone', (_, text, why) => {
  expect(problems(`# first\n${text}\nZ=last`)).toEqual([`line 2 ${why}`]);
});

test('every doubtful line is named, and one that comes twice', () => {
  expect(problems('A=1\nhunter2\nB=2\nA=3\nC=')).toEqual([
    'line 2 is not NAME=value',
    'line 5 has no value',
    'line 4 has the name of line 1',
  ]);
});

test('JSON: names with texts, or with texts and grants', () => {
  expect(readImport('{"a": "b\\nc", "d": {"value": "e", "grants": ["lake", "*"]}}')).toEqual([
    { name: 'a', value: 'b\nc' },
    { name: 'd', value: 'e', grants: ['lake', '*'] },
  ]);
});

test.each([
  ['{"a": 5}', 'entry 1 has a value that is not text'],
  ['{"a": null}', 'entry 1 has a value that is not text'],
  ['{"a b": "c"}', "entry 1 has a name that is none (letters, digits, '_', '-', '.'; at most 128)"],
  ['{"a": ""}', 'entry 1 is empty'],
  ['{"a": {"value": "b", "grants": "lake"}}', 'entry 1 has grants that are none'],
  ['{"a": hunter2}', 'the file begins like JSON, and is none'],
])('JSON: %j is refused', (text, problem) => {
  expect(problems(text)).toEqual([problem]);
});

test('a value that is too large is refused with its size', () => {
  expect(problems(`A=${'x'.repeat(65537)}`)).toEqual([
    'line 1 has 65537 bytes, and a secret has 65536 at most',
  ]);
});
