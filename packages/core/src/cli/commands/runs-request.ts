import { commandHint } from '../command-hint.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { narrowManifest } from '../narrow-manifest.ts';
import { narrowingOf } from '../narrowing-of.ts';
import { openRunsOf, wholeNumber } from '../open-runs-of.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { UsageError } from '../usage-error.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host runs request PIPELINE`: puts a run into the queue, for whichever host comes first. */
export const runsRequest: CommandCode = async (args, environment) => {
  const [pipeline = ''] = args.operands;
  const { stdout } = environment;
  const wishes = wishesOf(args);
  narrowManifest(await readManifestOf(args, environment, 'hold'), pipeline);
  await using queue = await openRunsOf(args, environment);
  const run = await queue.request({ pipeline, trigger: 'command', by: 'operator', ...wishes });
  if (flag(args, 'json')) {
    stdout.write(`${JSON.stringify({ run })}\n`);
    return exitCodes.allWell;
  }
  stdout.write(`${run.id} ${run.state.toLowerCase()}\n`);
  await sayWhoRuns(args, environment, run.id);
  return exitCodes.allWell;
};

function wishesOf(args: Args) {
  const priority = wholeNumber(args, 'priority', -100, 100);
  const key = stringOption(args, 'key');
  if (key !== undefined && (key === '' || key.length > 255))
    throw new UsageError('--key must have 1 to 255 characters');
  return {
    ...narrowingOf(args),
    ...(priority !== undefined && { priority }),
    ...(key !== undefined && { key }),
  };
}

/** On a database of its own nobody else could take it. */
async function sayWhoRuns(args: Args, environment: Environment, id: string): Promise<void> {
  const { stderr, env, rooms } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const isAlone = (env['DATABASE_URL'] ?? '') === '' && !(await rooms.hostRuns(stateFolder));
  if (isAlone)
    stderr.write(`no host runs here: it waits for ${commandHint(['start'], args, env)}\n`);
  else stderr.write(`${commandHint(['runs', 'show', id], args, env)}  tells what becomes of it\n`);
}
