import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const LONGEST_MS = 300_000;

/** What a run of some tests of one file has shown. */
export interface TestsRun {
  readonly tests: readonly { readonly title: string; readonly failures: readonly string[] }[];
  /** Of the file as a whole: it could not be loaded, or was not at its end in time. */
  readonly trouble?: string;
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/**
 * Runs the tests of a file that have one of the titles, in a process group of their own, of which nothing is left.
 * @param file from the root of the repository, of which `folder` is a copy
 * @param titles as the sources have them, with their placeholders
 */
export async function runTests(
  folder: string,
  file: string,
  titles: readonly string[],
): Promise<TestsRun> {
  const output = join(folder, 'tests.json');
  await rm(output, { force: true });
  const args = ['run', file, '--testNamePattern', patternFor(titles)];
  const reporting = ['--reporter', 'json', '--outputFile', output];
  const config = ['--config', 'vitest.conformance.config.ts'];
  const isConformance = file.includes('/conformance/');
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  const child = spawn(
    process.execPath,
    [vitest, ...args, ...reporting, ...(isConformance ? config : [])],
    { cwd: folder, detached: true, stdio: 'ignore', env: { ...process.env, CI: '1' } },
  );
  const end = (): void => {
    endGroup(child.pid);
    endLeftOver(folder);
  };
  process.once('exit', end);
  const timer = setTimeout(end, LONGEST_MS);
  await once(child, 'exit');
  clearTimeout(timer);
  process.off('exit', end);
  end();
  const text = await readFile(output, 'utf8').catch(() => undefined);
  if (text === undefined) return { tests: [], trouble: 'the tests did not come to their end' };
  return readReport(JSON.parse(text) as Report, new RegExp(patternFor(titles)));
}

/** Finds tests by their titles, or by those of what they are described in. */
function patternFor(titles: readonly string[]): string {
  const each = titles.map((title) =>
    title.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`).replaceAll(/%[sdjo]/g, '.*'),
  );
  return `(^| )(${each.join('|')})( |$)`;
}

function readReport({ testResults }: Report, pattern: RegExp): TestsRun {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const trouble = testResults.map(({ message }) => message).find((message) => message !== '');
  return {
    tests: all
      .filter(({ fullName, status }) => pattern.test(fullName) && /^(passed|failed)$/.test(status))
      .map(({ fullName, failureMessages }) => ({ title: fullName, failures: failureMessages })),
    ...(trouble !== undefined && { trouble }),
  };
}

function endGroup(pid: number | undefined): void {
  for (const one of pid === undefined ? [] : [-pid, pid])
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // It has ended already.
    }
}

/** Workers lead groups of their own, and with some faults they outlive their host. Where there is a /proc they are found. */
function endLeftOver(folder: string): void {
  const pids = existsSync('/proc/self/cmdline') ? readdirSync('/proc').filter(isNumber) : [];
  for (const pid of pids) if (commandOf(pid).includes(`${folder}/`)) endGroup(Number(pid));
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name) && Number(name) !== process.pid;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
