import type { RunQueue } from '../jobs/run-queue.ts';
import type { RunRecord, RunState } from '../jobs/runs.ts';
import { escapeText } from '../observe/escape-text.ts';
import { stringOption, type Args } from './command.ts';
import type { Environment } from './environment.ts';
import { quietLogger } from './logger-for.ts';
import { UsageError } from './usage-error.ts';
import { workplaceOf } from './workplace.ts';

const STATES: readonly RunState[] = [
  'QUEUED',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'QUARANTINED',
];

/** Opens the runs of the workplace, for a command that asks and watches. */
export async function openRunsOf(args: Args, environment: Environment): Promise<RunQueue> {
  const { env, rooms, clock } = environment;
  return await rooms.openRuns({
    stateFolder: workplaceOf(args, environment).stateFolder,
    databaseUrl: env['DATABASE_URL'],
    clock,
    logger: await quietLogger(args, environment),
  });
}

/** @throws UsageError when there is no such run */
export function known(run: RunRecord | undefined, id: string): RunRecord {
  if (run !== undefined) return run;
  throw new UsageError(`there is no run '${escapeText(id)}'`, 'octo-host runs');
}

/** `queued,running` as states. @throws UsageError for a word that is none */
export function runStatesOf(text: string): readonly RunState[] {
  return text.split(',').map((word) => {
    const state = STATES.find((one) => one === word.trim().toUpperCase());
    if (state !== undefined) return state;
    const words = STATES.map((one) => one.toLowerCase()).join(', ');
    throw new UsageError(
      `--only takes ${words}, not '${escapeText(word)}'`,
      'octo-host runs --help',
    );
  });
}

/** A whole number between the two. @throws UsageError */
export function wholeNumber(args: Args, name: string, least: number, most: number) {
  const text = stringOption(args, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(
    `--${name} must be a whole number from ${least} to ${most}, not '${escapeText(text)}'`,
  );
}
