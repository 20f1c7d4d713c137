import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsTable } from '../tools/config-page.ts';
import { configPages } from '../tools/config-pages.ts';

const root = dirname(import.meta.dirname);
const folder = join(root, 'docs/config');

test('docs/config says what the schemas say; else run node --conditions=octo-source tools/write-config-pages.ts', async () => {
  const pages = await configPages(root);
  expect(readdirSync(folder).toSorted()).toEqual([...pages.keys()].toSorted());
  for (const [name, text] of pages) expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
});

test('a table names every setting, nested ones with dots', () => {
  const table = settingsTable({
    type: 'object',
    required: ['a'],
    properties: {
      a: { type: 'string', secret: true, description: 'one | two' },
      b: {
        type: 'object',
        default: {},
        properties: { c: { type: 'integer', minimum: 1, default: 3 } },
      },
      d: { oneOf: [{ enum: ['x'] }, { type: 'object', properties: { e: { type: 'boolean' } } }] },
      f: { type: 'array', items: { type: 'object', properties: { g: { type: 'null' } } } },
      h: {
        type: 'object',
        additionalProperties: { properties: { i: { type: ['integer', 'string'] } } },
      },
    },
  });
  expect(table.split('\n')).toEqual([
    '| Setting | Type | Default | Meaning |',
    '| --- | --- | --- | --- |',
    '| `a` | string |  | required, secret; one \\| two |',
    '| `b` | object |  |  |',
    '| `b.c` | integer 1… | `3` |  |',
    '| `d` | `"x"` or object |  |  |',
    '| `d.e` | boolean |  |  |',
    '| `f` | list of object |  |  |',
    '| `f[].g` | null |  |  |',
    '| `h` | object |  |  |',
    '| `h.*.i` | integer or string |  |  |',
  ]);
});
