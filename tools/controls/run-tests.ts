import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const LONGEST_MS = 300_000;

/** One test, or one row of a table of tests. */
export interface TestRun {
  /** With those of what it is described in before it. */
  readonly title: string;
  /** Something is missing here that it needs. */
  readonly isSkipped: boolean;
  readonly failures: readonly string[];
}

/** What a run of some tests of one file has shown. */
export interface TestsRun {
  readonly tests: readonly TestRun[];
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
  const pattern = titles.map((title) => patternOf(title).source).join('|');
  const args = ['run', file, '--testNamePattern', pattern];
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
  process.prependOnceListener('exit', end);
  const timer = setTimeout(end, LONGEST_MS);
  await once(child, 'exit');
  clearTimeout(timer);
  process.off('exit', end);
  end();
  const text = await readFile(output, 'utf8').catch(() => undefined);
  if (text === undefined) return { tests: [], trouble: 'the tests did not come to their end' };
  return readReport(JSON.parse(text) as Report, new RegExp(pattern));
}

/** Finds a test by its title, placeholders included, or by the title of what it is described in. */
export function patternOf(title: string): RegExp {
  const escaped = title.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
  return new RegExp(`(^| )${escaped.replaceAll(/%[sdjo]/g, '.*')}( |$)`);
}

function readReport({ testResults }: Report, pattern: RegExp): TestsRun {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const trouble = testResults.map(({ message }) => message).find((message) => message !== '');
  return {
    tests: all
      .filter(({ fullName }) => pattern.test(fullName))
      .map(({ fullName, status, failureMessages }) => ({
        title: fullName,
        isSkipped: status !== 'passed' && status !== 'failed',
        failures: failureMessages,
      })),
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
