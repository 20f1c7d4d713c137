import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { editsOf } from '../tools/controls/fault.ts';
import { FAULTS } from '../tools/controls/faults.ts';
import { countOf } from '../tools/controls/plant-fault.ts';
import { proofsOf } from '../tools/controls/proofs.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');
const sections = page.split(/^### /m).slice(1);
const proofs = proofsOf(page);

/** T8 and T9 are signatures of plugins, which are not there. */
const THREATS = Array.from({ length: 30 }, (_, index) => index + 1).filter(
  (number) => number !== 8 && number !== 9,
);

/** Tests of the page that nobody has planted a fault for yet, as `T10 file: title`. What stands here is not proven. */
const UNTRIED: readonly string[] = [];

test('every threat has its place, in order', () => {
  const found = sections.map((section) => Number(/^T(\d+) /.exec(section)?.[1]));
  expect(found).toEqual(THREATS);
});

test('every threat has a proof', () => {
  const proven = new Set(proofs.map(({ row }) => row));
  expect(THREATS.map((number) => `T${number}`).filter((row) => !proven.has(row))).toEqual([]);
});

test.each(proofs)('$row: $test has the test "$name"', ({ test: file, name }) => {
  const path = join(root, file);
  expect(existsSync(path)).toBe(true);
  const text = readFileSync(path, 'utf8').replaceAll("\\'", "'");
  expect([`'${name}'`, `"${name}"`, `\`${name}\``].some((one) => text.includes(one))).toBe(true);
});

// That each test fails with its fault is tried by `npm run controls`, which takes longer.
describe('the faults of tools/controls', () => {
  const spelled = ({ row, test: file, name }: (typeof proofs)[number]) => `${row} ${file}: ${name}`;

  test('leave no row out', () => {
    const rows = new Set(FAULTS.map(({ row }) => row));
    const bare = THREATS.map((number) => `T${number}`).filter((row) => !rows.has(row));
    expect(bare).toEqual([]);
  });

  test('leave no test of the page out, and name no other', () => {
    const wanted = new Set(proofs.map(spelled));
    const planted = new Set(FAULTS.map(spelled));
    expect([...wanted].filter((one) => !planted.has(one))).toEqual(UNTRIED);
    expect([...planted].filter((one) => !wanted.has(one))).toEqual([]);
  });

  test('find their place in the sources exactly once', () => {
    const edits = FAULTS.flatMap(editsOf);
    const lost = edits.filter(
      ({ file, find }) => countOf(find, readFileSync(join(root, file), 'utf8')) !== 1,
    );
    expect(lost).toEqual([]);
    expect(edits.filter(({ find, put }) => find === put)).toEqual([]);
  });
});
