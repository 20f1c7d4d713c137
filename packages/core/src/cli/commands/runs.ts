import type { RunFilter, RunRecord } from '../../jobs/runs.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { formatTime } from '../format-time.ts';
import { openRunsOf, runStatesOf, wholeNumber } from '../open-runs-of.ts';
import { paintFor } from '../paint.ts';
import { runOutcome, runStateMeaning } from '../run-words.ts';
import { table } from '../table.ts';

/** `octo-host runs`: what was asked for, goes on and has ended, newest first. */
export const runs: CommandCode = async (args, environment) => {
  const filter = filterOf(args);
  await using queue = await openRunsOf(args, environment);
  const { runs, next } = await queue.list(filter);
  const { stdout, stderr } = environment;
  if (flag(args, 'json')) stdout.write(`${JSON.stringify({ runs })}\n`);
  else if (runs.length === 0) stderr.write('no runs\n');
  else {
    printTable(runs, environment);
    if (next !== undefined) stderr.write(`the newest ${filter.limit} runs; --limit shows more\n`);
  }
  return exitCodes.allWell;
};

function filterOf(args: Args): RunFilter {
  const pipeline = stringOption(args, 'pipeline');
  const only = stringOption(args, 'only');
  return {
    limit: wholeNumber(args, 'limit', 1, 500) ?? 50,
    ...(pipeline !== undefined && { pipeline }),
    ...(only !== undefined && { states: runStatesOf(only) }),
  };
}

function printTable(runs: readonly RunRecord[], { stdout, env }: Environment): void {
  const paint = paintFor(stdout, env);
  const [head = '', ...lines] = table(
    ['state', 'pipeline', 'asked at (UTC)', 'trigger', 'id', 'outcome'],
    runs.map((run) => [
      run.state.toLowerCase(),
      run.request.pipeline,
      formatTime(new Date(run.requestedAt)),
      run.request.trigger,
      run.id,
      runOutcome(run),
    ]),
  );
  stdout.write(`${paint('strong', head)}\n`);
  for (const [index, line] of lines.entries()) {
    const run = runs[index]!;
    stdout.write(
      `${paint(runStateMeaning(run), run.state.toLowerCase())}${line.slice(run.state.length)}\n`,
    );
  }
}
