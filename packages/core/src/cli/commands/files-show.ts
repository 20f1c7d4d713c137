import { deliveryJson, eventJson } from '../../ledger/delivery-json.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { deliveryStory } from '../delivery-story.ts';
import { exitCodes } from '../exit-code.ts';
import { paintFor } from '../paint.ts';
import { deliveriesNamed, openLedgerOf } from '../read-ledger.ts';

const mostShown = 50;

/** `octo-host files show NAME`: every match's life over all runs. */
export const filesShow: CommandCode = async (args, environment) => {
  const [name = ''] = args.operands;
  const { stdout, stderr, env } = environment;
  await using ledger = await openLedgerOf(args, environment);
  const found = await deliveriesNamed(name, args, ledger, mostShown);
  const told = await Promise.all(
    found.map(async (delivery) => ({ delivery, history: await ledger.history(delivery.id) })),
  );
  if (flag(args, 'json')) {
    const files = told.map(({ delivery, history }) => ({
      ...deliveryJson(delivery),
      history: history.map(eventJson),
    }));
    stdout.write(`${JSON.stringify({ files })}\n`);
  } else {
    const paint = paintFor(stdout, env);
    const stories = told.map(({ delivery, history }) => deliveryStory(delivery, history, paint));
    stdout.write(stories.map((lines) => `${lines.join('\n')}\n`).join('\n'));
  }
  if (found.length === 0) {
    stderr.write(
      `octo-host: the ledger knows no file '${escapeText(name)}'; 'octo-host files' lists them\n`,
    );
    return exitCodes.filesRefused;
  }
  if (found.length === mostShown) stderr.write(`the newest ${mostShown} matches\n`);
  return exitCodes.allWell;
};
