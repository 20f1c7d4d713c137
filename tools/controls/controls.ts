/**
 * `npm run controls [-- T10 …]`: takes each control of the threat model away, one at a time, in a copy of the repository, and
 * runs the test that is said to prove it. A test that is still content is a survivor. Words that are no rows are looked for in
 * the paths of the tests.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { copyTree } from './tree-copy.ts';
import type { Fault } from './fault.ts';
import { FAULTS } from './faults.ts';
import { plantFault } from './plant-fault.ts';
import { patternOf, runTests } from './run-tests.ts';
import { type Verdict, verdictOf } from './verdict.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(130));

const chosen = faultsNamed(process.argv.slice(2));
if (chosen.length === 0) {
  process.stderr.write('octo: no control has such a row, and no test such a path\n');
  process.exit(2);
}
await using copy = await copyTree(join(import.meta.dirname, '../..'));
const left: Fault[] = [];
const counts: Record<Verdict['verdict'], number> = {
  killed: 0,
  survived: 0,
  broken: 0,
  skipped: 0,
};
for (const [file, faults] of Map.groupBy(chosen, fileOf)) {
  const isContent = await isContentWithout(file, faults);
  for (const fault of faults) if (!isContent || !(await isNoticed(fault))) left.push(fault);
}
const seconds = Math.round(performance.now() / 1000);
const { killed, skipped } = counts;
say(`\n${killed} killed, ${skipped} skipped, ${left.length} not killed, in ${seconds} s`);
for (const { row, control, test, name } of left) say(`${row}: ${control}\n  ${test}: ${name}`);
process.exitCode = left.length === 0 ? 0 : 1;

function faultsNamed(words: readonly string[]): readonly Fault[] {
  const isRow = (word: string): boolean => FAULTS.some(({ row }) => row === word);
  const rows = words.filter(isRow);
  const paths = words.filter((word) => !isRow(word));
  return FAULTS.filter(
    ({ row, test }) =>
      (rows.length === 0 || rows.includes(row)) &&
      (paths.length === 0 || paths.some((path) => test.includes(path))),
  );
}

/** Red with a fault says something only where it is green without. */
async function isContentWithout(file: string, faults: readonly Fault[]): Promise<boolean> {
  const names = [...new Set(faults.map(({ name }) => name))];
  const { tests, trouble } = await runTests(copy.folder, file, names);
  const failed = tests.filter(({ failures }) => failures.length > 0).map(({ title }) => title);
  const absent = names.filter((name) => !tests.some(({ title }) => patternOf(name).test(title)));
  if (trouble === undefined && failed.length === 0 && absent.length === 0) return true;
  say(`${file}: not green without a fault`);
  for (const what of [trouble ?? [], failed, absent.map((name) => `not there: ${name}`)].flat())
    say(`  ${what}`);
  return false;
}

/** Whether its test has noticed, or could not run here. */
async function isNoticed(fault: Fault): Promise<boolean> {
  const began = performance.now();
  const { verdict, why } = await verdictWith(fault).catch((error: unknown): Verdict => ({
    verdict: 'broken',
    why: String(error),
  }));
  const took = ((performance.now() - began) / 1000).toFixed(1);
  counts[verdict] += 1;
  say(`${fault.row.padEnd(8)}${verdict.padEnd(9)}${took.padStart(6)} s  ${fault.control}`);
  for (const line of [`${fault.test}: ${fault.name}`, why]) say(`${' '.repeat(27)}${line}`);
  return verdict === 'killed' || verdict === 'skipped';
}

async function verdictWith(fault: Fault): Promise<Verdict> {
  await using _planted = await plantFault(copy.folder, fault);
  return verdictOf(await runTests(copy.folder, fileOf(fault), [fault.name]));
}

function fileOf({ test, run = test }: Fault): string {
  return run;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
