import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorCatalogue } from '../../src/errors/catalogue.ts';

const root = join(import.meta.dirname, '../../../..');
const sources = join(root, 'packages/core/src');
const codes = Object.keys(errorCatalogue);

/** The text under each `### CODE` of docs/errors.md. */
function documented(): Map<string, string> {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const sections = page.split(/^#{2,3} /m).slice(1);
  return new Map(
    sections
      .map((section): [string, string] => [section.split('\n', 1)[0] ?? '', section])
      .filter(([title]) => title.startsWith('OCTO_')),
  );
}

test('docs/errors.md explains every code, and no other', () => {
  expect([...documented().keys()].toSorted()).toEqual(codes.toSorted());
});

test.each(Object.entries(errorCatalogue))(
  'docs/errors.md says of %s what the catalogue says',
  (code, meaning) => {
    const section = documented().get(code)?.replaceAll(/\s+/g, ' ').toLowerCase();
    expect(section).toContain(`${meaning.toLowerCase()}.`);
    expect(section).toMatch(/```text .+ ``` .+/);
  },
);

test('every code is in use', () => {
  const text = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('catalogue.ts'))
    .map((file) => readFileSync(join(sources, file), 'utf8'))
    .join('\n');
  expect(codes.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});

test('a code is spelt like the others', () => {
  expect(codes.filter((code) => !/^OCTO_[A-Z]+(_[A-Z]+)+$/.test(code))).toEqual([]);
});
