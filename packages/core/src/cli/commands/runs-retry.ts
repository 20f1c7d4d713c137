import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { known, openRunsOf } from '../open-runs-of.ts';

/** `octo-host runs retry ID`: asks for the same run again. */
export const runsRetry: CommandCode = async (args, environment) => {
  const [id = ''] = args.operands;
  const { stdout } = environment;
  await using queue = await openRunsOf(args, environment);
  const run = known(await queue.retry(id, 'operator'), id);
  stdout.write(
    flag(args, 'json') ? `${JSON.stringify({ run })}\n` : `${run.id} ${run.state.toLowerCase()}\n`,
  );
  return exitCodes.allWell;
};
