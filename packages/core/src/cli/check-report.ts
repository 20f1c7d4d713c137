import type { Diagnosis } from '@octo/plugin-api';
import { escapeText } from '../observe/escape-text.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import type { Meaning, Paint } from './paint.ts';
import { padText } from './text-width.ts';

/** One step of `octo-host check`: about the host itself, or about one instance. */
export interface Check extends Diagnosis {
  /** `host`, or an instance's id. */
  readonly about: string;
}

const marks: Readonly<Record<Diagnosis['outcome'], readonly [Meaning, string]>> = {
  passed: ['good', '✓'],
  warned: ['doubtful', '!'],
  failed: ['bad', '✗'],
};

/** The lines of one step: mark, name, what was found, and what to do. */
export function checkLines(check: Check, paint: Paint): string[] {
  const [meaning, mark] = marks[check.outcome];
  const line = `  ${paint(meaning, mark)} ${padText(escapeText(check.step), 16)} ${escapeText(check.detail)}`;
  const remedy = check.remedy === undefined ? [] : [`    → ${escapeText(check.remedy)}`];
  return [line.trimEnd(), ...remedy];
}

/** One step as `--json` shows it. */
export function checkJson({ about, step, outcome, detail, remedy }: Check): unknown {
  return { about, step, outcome, detail, remedy: remedy ?? null };
}

/** 3 when something cannot be reached, 2 when the configuration was refused, else 0. */
export function exitCodeOfChecks(checks: readonly Check[]): number {
  const codes = checks.filter(({ outcome }) => outcome === 'failed').map(exitCodeOfCheck);
  return Math.max(exitCodes.allWell, ...codes);
}

function exitCodeOfCheck({ error }: Check): number {
  return error === undefined ? exitCodes.unreachable : exitCodeOf(error);
}
