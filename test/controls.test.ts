import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Fault } from '../tools/controls/fault.ts';
import { patternOf } from '../tools/controls/run-tests.ts';
import { plantFault } from '../tools/controls/plant-fault.ts';
import { verdictOf } from '../tools/controls/verdict.ts';

const ONE = 'packages/one/src/door.ts';
const BUILT = 'packages/one/dist/door.js';
const SOURCE =
  "import { key } from './key.ts';\nexport const opens = (given: string) => given === key;\n";
const fault: Fault = {
  row: 'T1',
  control: 'keys are compared',
  file: ONE,
  find: 'given === key',
  put: "given !== ''",
  test: 'one.test.ts',
  name: 'a door',
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-fault-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [path, text] of [
    [ONE, SOURCE],
    [BUILT, 'built by tsc'],
  ] as const) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});

const textOf = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');

test('a fault stands in the sources and in what is built of them, until it is taken back', async () => {
  {
    await using _planted = await plantFault(folder, fault);
    expect(await textOf(ONE)).toContain("given !== ''");
    expect(await textOf(BUILT)).toMatch(
      /from '\.\/key\.js';\nexport const opens = \(given *\) => given !== ''/,
    );
  }
  expect([await textOf(ONE), await textOf(BUILT)]).toEqual([SOURCE, 'built by tsc']);
});

test.each([
  ['stands nowhere', { find: 'nowhere' }, /door\.ts has it 0 times/],
  ['stands there more than once', { find: 'key' }, /door\.ts has it 3 times/],
  ['makes no TypeScript', { put: 'given ===' }, /SyntaxError|Expression expected/],
])('a fault that %s is not planted, and nothing is left of it', async (_, change, why) => {
  await expect(plantFault(folder, { ...fault, ...change })).rejects.toThrow(why);
  expect([await textOf(ONE), await textOf(BUILT)]).toEqual([SOURCE, 'built by tsc']);
});

const ran = (...failures: string[]) => ({
  tests: [{ title: 'a door', isSkipped: false, failures }],
});
const skipped = { tests: [{ title: 'a door', isSkipped: true, failures: [] }] };

test.each([
  ['killed', ran('AssertionError: expected true to be false')],
  ['killed', ran('Error: Test timed out in 30000ms.')],
  ['survived', ran()],
  ['skipped', skipped],
  ['broken', { tests: [] }],
  ['broken', { tests: [], trouble: 'Error: Failed to resolve import "./gone.ts"' }],
  ['broken', ran('ReferenceError: nobody is not defined')],
  ['broken', ran("SyntaxError: The requested module './key.ts' does not provide an export")],
])('%s is what is said of %j', (verdict, run) => {
  expect(verdictOf(run).verdict).toBe(verdict);
});

test('a test is found by its title, whatever stands in for a placeholder and around it', () => {
  const pattern = patternOf('a name (of %s) is refused: %j');
  expect(pattern.test('names a name (of a link) is refused: ".."')).toBe(true);
  expect(pattern.test('a name (of a link) is refused: it describes others')).toBe(true);
  expect(pattern.test('a name of a link is refused: ".."')).toBe(false);
  expect(patternOf('is refused').test('is refused, and never again')).toBe(false);
});
