import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');
const sections = page.split(/^### /m).slice(1);
const proofs = [...page.matchAll(/^- `([^`]+)`: (.+)$/gm)].map(
  ([, file = '', title = '']) => [file, title] as const,
);

/** T8 and T9 are signatures of plugins, which are not there. */
const THREATS = Array.from({ length: 30 }, (_, index) => index + 1).filter(
  (number) => number !== 8 && number !== 9,
);

test('every threat has its place, in order', () => {
  const found = sections.map((section) => Number(/^T(\d+) /.exec(section)?.[1]));
  expect(found).toEqual(THREATS);
});

test.each(sections.map((section) => [section.split('\n', 1)[0] ?? '', section] as const))(
  '%s: a test proves it, or it is said what is missing',
  (title, section) => {
    const isLater = title.startsWith('T30 ');
    expect(isLater || /^- (`|\*\*Missing:\*\* )/m.test(section)).toBe(true);
  },
);

test.each(proofs)('%s has the test "%s"', (file, title) => {
  const path = join(root, file);
  expect(existsSync(path)).toBe(true);
  const text = readFileSync(path, 'utf8').replaceAll("\\'", "'");
  expect([`'${title}'`, `"${title}"`, `\`${title}\``].some((one) => text.includes(one))).toBe(true);
});
