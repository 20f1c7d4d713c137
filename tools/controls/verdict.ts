import type { TestsRun } from './run-tests.ts';

/**
 * `broken` is a fault that the code could not even be run with, and `skipped` one whose test needs what is not here: nothing
 * was shown.
 */
export interface Verdict {
  readonly verdict: 'killed' | 'survived' | 'broken' | 'skipped';
  /** The first line of what the test said, or what is wrong. */
  readonly why: string;
}

/** Code that cannot be loaded, or that calls what is not there, fails every test, whatever it proves. */
const NOT_RUN =
  /SyntaxError|ReferenceError|Failed to resolve|Cannot find (module|package)|ERR_MODULE_NOT_FOUND|is not a function|no exported|does not provide an export/;

/** What a run of the test of a planted fault says of it. */
export function verdictOf({ tests, trouble }: TestsRun): Verdict {
  const failure = tests.flatMap(({ failures }) => failures)[0];
  const why = firstLine(failure ?? trouble ?? '');
  if (tests.length === 0) return { verdict: 'broken', why: why || 'no test has this title' };
  if (tests.every(({ isSkipped }) => isSkipped))
    return { verdict: 'skipped', why: 'the test needs something that is not here' };
  if (failure === undefined) return { verdict: 'survived', why: 'the test is content without it' };
  return { verdict: NOT_RUN.test(why) ? 'broken' : 'killed', why };
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 160) ?? '';
}
