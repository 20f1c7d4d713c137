import { deliveryJson } from '../../ledger/delivery-json.ts';
import { escapeText } from '../../observe/escape-text.ts';
import type { Delivery } from '../../ledger/delivery.ts';
import type { ListFilter } from '../../ledger/ledger.ts';
import { commandHint } from '../command-hint.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import { stateMeaning, statesOf, stateWord } from '../delivery-words.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { formatBytes } from '../format-bytes.ts';
import { formatTime } from '../format-time.ts';
import { paintFor } from '../paint.ts';
import { openLedgerOf } from '../read-ledger.ts';
import { table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

/** `octo-host files [pattern]`: the ledger as a table, newest first. */
export const files: CommandCode = async (args, environment) => {
  const filter = filterOf(args);
  await using ledger = await openLedgerOf(args, environment);
  const deliveries = await ledger.list(filter);
  const { stdout, stderr } = environment;
  if (flag(args, 'json')) {
    stdout.write(`${JSON.stringify({ files: deliveries.map(deliveryJson) })}\n`);
    return exitCodes.allWell;
  }
  if (deliveries.length === 0) {
    stderr.write(`no files${filterIsOpen(filter) ? ' yet' : ' match'}\n`);
    return exitCodes.allWell;
  }
  printTable(deliveries, environment);
  if (deliveries.length === filter.limit) {
    stderr.write(`the newest ${filter.limit} files; --limit shows more\n`);
  }
  sayWhatNext(deliveries, args, environment);
  return exitCodes.allWell;
};

function filterOf(args: Args): ListFilter {
  const [match] = args.operands;
  const pipeline = stringOption(args, 'pipeline');
  const only = stringOption(args, 'only');
  return {
    limit: limitOf(args),
    ...(match === undefined ? {} : { match }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(only === undefined ? {} : { states: statesOf(only) }),
  };
}

function limitOf(args: Args): number {
  const text = stringOption(args, 'limit') ?? '100';
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0 && limit <= 1_000_000) return limit;
  const message = `--limit must be a whole number from 1 to 1000000, not '${escapeText(text)}'`;
  throw new UsageError(message, 'octo-host files --help');
}

function filterIsOpen({ match, pipeline, states }: ListFilter): boolean {
  return match === undefined && pipeline === undefined && states === undefined;
}

function printTable(deliveries: readonly Delivery[], { stdout, env }: Environment): void {
  const paint = paintFor(stdout, env);
  const [head = '', ...lines] = table(
    ['state', 'file', 'size', 'when (UTC)', 'pipeline', 'key or reason'],
    deliveries.map((delivery) => [
      stateWord(delivery),
      escapeText(delivery.path),
      formatBytes(delivery.size),
      formatTime(delivery.committedAt ?? delivery.discoveredAt),
      delivery.pipeline,
      escapeText(delivery.reason ?? delivery.objectKey ?? ''),
    ]),
  );
  stdout.write(`${paint('strong', head)}\n`);
  for (const [index, line] of lines.entries()) {
    const delivery = deliveries[index];
    if (delivery === undefined) continue;
    const word = stateWord(delivery);
    stdout.write(`${paint(stateMeaning(delivery), word)}${line.slice(word.length)}\n`);
  }
}

function sayWhatNext(
  deliveries: readonly Delivery[],
  args: Args,
  { stderr, env }: Environment,
): void {
  const refused = deliveries.find(({ state }) => state === 'QUARANTINED');
  if (refused === undefined || !stderr.isTerminal) return;
  const show = commandHint(['files', 'show', escapeText(refused.path)], args, env);
  stderr.write(`\n${show}  tells what happened to it\n`);
}
