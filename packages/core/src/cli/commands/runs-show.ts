import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { known, openRunsOf } from '../open-runs-of.ts';
import { paintFor } from '../paint.ts';
import { runStory } from '../run-words.ts';

/** `octo-host runs show ID`: a run with its files, its timings, and why it failed. */
export const runsShow: CommandCode = async (args, environment) => {
  const [id = ''] = args.operands;
  const { stdout, env } = environment;
  await using queue = await openRunsOf(args, environment);
  const run = known(await queue.find(id), id);
  const files = await queue.files(id);
  if (flag(args, 'json')) stdout.write(`${JSON.stringify({ run, files })}\n`);
  else stdout.write(`${runStory(run, files, paintFor(stdout, env)).join('\n')}\n`);
  return exitCodes.allWell;
};
