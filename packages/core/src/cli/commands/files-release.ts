import { actorNamed } from '../../audit/actor.ts';
import { escapeText } from '../../observe/escape-text.ts';
import type { Delivery } from '../../ledger/delivery.ts';
import { commandHint } from '../command-hint.ts';
import { flag, type CommandCode } from '../command.ts';
import { stateWord } from '../delivery-words.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { operatorName } from '../operator.ts';
import { deliveriesNamed, openLedgerOf } from '../read-ledger.ts';
import { UsageError } from '../usage-error.ts';

/** `octo-host files release NAME`: a quarantined file is new again, and the next run tries it. */
export const filesRelease: CommandCode = async (args, environment) => {
  const [name = ''] = args.operands;
  const { stdout, stderr, env } = environment;
  await using audit = await openAuditOf(args, environment);
  const actor = actorNamed(operatorName(env));
  await using ledger = await openLedgerOf(args, environment);
  const chosen = choose(name, await deliveriesNamed(name, args, ledger, 10_000), flag(args, 'all'));
  const released: Delivery[] = [];
  for (const delivery of chosen) {
    const { id, path: target, pipeline, reason = '' } = delivery;
    const details = { pipeline, delivery: id, reason };
    await audit.record({ action: 'file.release', actor, target, outcome: 'done', details });
    if (await ledger.release(delivery.id)) released.push(delivery);
    else stderr.write(`octo-host: ${notReleasable(delivery)}\n`);
  }
  if (flag(args, 'json')) {
    const list = released.map(({ id, path, pipeline }) => ({ id, path, pipeline }));
    stdout.write(`${JSON.stringify({ released: list })}\n`);
  } else {
    for (const { path, pipeline } of released) {
      const next = commandHint(['run', pipeline], args, env);
      stdout.write(`released ${escapeText(path)}: the next run tries it again (${next})\n`);
    }
  }
  return released.length > 0 ? exitCodes.allWell : exitCodes.filesRefused;
};

/** Entries that must not be opened at all, such as a link: only the vendor can change that. */
function notReleasable({ path, reason = '' }: Delivery): string {
  return escapeText(
    `'${path}' cannot be released: it may not be opened as it is (${reason}); once the vendor offers it in order, it is delivered by itself`,
  );
}

/** The quarantined ones among the matches. @throws UsageError when none is, or several are and `all` was not asked for */
function choose(name: string, matches: readonly Delivery[], all: boolean): readonly Delivery[] {
  const shown = escapeText(name);
  const quarantined = matches.filter(({ state }) => state === 'QUARANTINED');
  const [match] = matches;
  if (match === undefined) {
    throw new UsageError(`the ledger knows no file '${shown}'`, 'octo-host files');
  }
  if (quarantined.length === 0) {
    throw new UsageError(
      `'${escapeText(match.path)}' is ${stateWord(match)}, not quarantined: there is nothing to release`,
      `octo-host files show ${shown}`,
    );
  }
  if (quarantined.length > 1 && !all) {
    throw new UsageError(
      `'${shown}' means ${quarantined.length} quarantined files; name one by its id, or add --all`,
      `octo-host files --only quarantined ${shown}`,
    );
  }
  return quarantined;
}
