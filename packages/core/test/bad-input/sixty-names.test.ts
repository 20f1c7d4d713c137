/** Sixty names that a vendor may give to a file, each through every place where a name becomes something else. */
import { join, sep } from 'node:path';
import { isPluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { refusalOfName } from '../../../sftp/src/entry-name.ts';
import { objectPath } from '../../../sink-fs/src/object-path.ts';
import { canonicalJson } from '../../src/audit/canonical-json.ts';
import { escapeText } from '../../src/observe/escape-text.ts';
import { numberedKey, objectKey } from '../../src/pipeline/object-key.ts';

const ROOT = join(sep, 'srv', 'delivered');

const refused = [
  '',
  '.',
  '..',
  '/',
  '//',
  '/etc/passwd',
  '../up.csv',
  '../../../../etc/cron.d/octo',
  'a/../../b',
  'a/b.csv',
  './here.csv',
  'nul\0.csv',
  '.csv\0.txt',
  'line\nbreak.csv',
  'return\r.csv',
  'tab	.csv',
  'esc\x1B[2J.csv',
  'esc\x1B]0;title\x07.csv',
  'bell\x07.csv',
  'csi31m.csv',
  'del.csv',
  'back\b\b\bspace.csv',
  'not�utf8.csv',
  'é'.repeat(128),
  'x'.repeat(256),
  '😀'.repeat(64),
];

const taken = [
  '-rf',
  '--help',
  '-oProxyCommand=id',
  '~',
  '~root',
  '~user',
  ' ',
  '  .csv',
  'trailing.csv ',
  '...',
  '%2e%2e%2fup.csv',
  '%00.csv',
  '..\\up.csv',
  'C:\\windows\\x.csv',
  '\\\\server\\share',
  'a:b:c',
  'CON',
  'con.csv',
  'NUL',
  'LPT1.txt',
  'a.csv::$DATA',
  '$(id).csv',
  '`id`.csv',
  ';id;.csv',
  '|id',
  '&id',
  '*.csv',
  '{name}.csv',
  '${env:PASSWORD}.csv',
  '${secret:x}',
  '__proto__',
  'constructor',
  "'; drop table--",
  '<img src=x onerror=alert(1)>',
  'rtl‮vsc.exe',
  'zero​width.csv',
  'tag󠁁.csv',
  'café.csv',
  'café.csv',
  '日本語.csv',
  '😀.csv',
  'x'.repeat(255),
  '.octo',
  '.htaccess',
  '#hash?query=1',
  '=cmd|calc',
];

test('there are at least sixty of them', () => {
  expect(new Set([...refused, ...taken]).size).toBeGreaterThanOrEqual(60);
});

test.each(refused)('%j is refused before it becomes anything', (name) => {
  expect(refusalOfName(name)).toMatch(/^UN(SAFE|READABLE)_NAME: /);
});

test.each(taken)('%j is taken as it is', (name) => {
  expect(refusalOfName(name)).toBeUndefined();
});

test.each([...refused, ...taken])(
  '%j leads nowhere outside of the sink, as a name, a path or a field',
  (name) => {
    const file = { path: `in/${name}`, name, size: 1, mtimeMs: 0, fields: { merchant: name } };
    for (const template of ['a/{name}', 'a/{path}', '{merchant}/x', '{name}/{merchant}']) {
      const key = keyOf(template, { pipeline: 'p', provider: 'v', file, name });
      if (key === undefined) continue;
      expect(key).not.toMatch(/(^|\/)\.{0,2}(\/|$)/);
      // oxlint-disable-next-line no-control-regex -- what must not get through
      expect(key).not.toMatch(/[\u0000-\u001f\u007f\\]/);
      for (const one of [key, numberedKey(key, 1)]) expect(placeOf(one)).toBe(true);
    }
  },
);

// oxlint-disable-next-line no-control-regex -- what a terminal would obey, or hide
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]|[\u{e0000}-\u{e007f}]/u;

test.each([...refused, ...taken])('%j obeys nobody when it is shown or written down', (name) => {
  for (const shown of [escapeText(name), canonicalJson({ target: name })]) {
    expect(shown).not.toMatch(OBEYED);
    expect(shown.split('\n')).toHaveLength(1);
  }
  expect((JSON.parse(canonicalJson({ target: name })) as { target: string }).target).toBe(name);
});

test('two spellings of one word are two names', () => {
  const key = (name: string) =>
    objectKey('{name}', {
      pipeline: 'p',
      provider: 'v',
      name,
      file: { path: name, name, size: 1, mtimeMs: 0 },
    });
  expect(key('cafe\u0301.csv')).not.toBe(key('caf\u00E9.csv'));
});

/** `undefined` for a file whose key cannot be made, which is set aside. */
function keyOf(template: string, words: Parameters<typeof objectKey>[1]): string | undefined {
  try {
    return objectKey(template, words);
  } catch (error) {
    if (/key/.test((error as Error).message)) return undefined;
    throw error;
  }
}

/** Whether the folder sink refuses the key, or has its file below its root. */
function placeOf(key: string): boolean {
  try {
    return objectPath(ROOT, key).file.startsWith(ROOT + sep);
  } catch (error) {
    return isPluginError(error);
  }
}
