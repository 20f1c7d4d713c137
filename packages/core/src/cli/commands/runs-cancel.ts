import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { known, openRunsOf } from '../open-runs-of.ts';

/** `octo-host runs cancel ID`: a queued run does not begin, a running one stops within two seconds. */
export const runsCancel: CommandCode = async (args, environment) => {
  const [id = ''] = args.operands;
  const { stdout } = environment;
  await using queue = await openRunsOf(args, environment);
  const run = known(await queue.cancel(id, 'operator'), id);
  const isStopping = run.state === 'RUNNING';
  const words = isStopping ? 'is told to stop' : `is ${run.state.toLowerCase()}`;
  stdout.write(flag(args, 'json') ? `${JSON.stringify({ run })}\n` : `${run.id} ${words}\n`);
  return run.state === 'CANCELLED' || isStopping ? exitCodes.allWell : exitCodes.filesRefused;
};
