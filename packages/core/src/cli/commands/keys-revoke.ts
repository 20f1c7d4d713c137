import { actorNamed } from '../../audit/actor.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { keyJson } from '../key-json.ts';
import { keyStoreOf } from '../key-store-of.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { operatorName } from '../operator.ts';
import { UsageError } from '../usage-error.ts';

/** `octo-host keys revoke ID`: the key opens nothing any more, nor do the tokens that it was given. */
export const keysRevoke: CommandCode = async (args, environment) => {
  const [id = ''] = args.operands;
  const { stdout, env } = environment;
  await using audit = await openAuditOf(args, environment);
  await using keys = await keyStoreOf(args, environment);
  const isThere = (await keys.store.find(id)) !== undefined;
  const outcome = isThere ? 'done' : 'failed';
  const actor = actorNamed(operatorName(env));
  await audit.record({ action: 'key.revoke', actor, target: id, outcome });
  const key = isThere ? await keys.store.revoke(id) : undefined;
  if (key === undefined)
    throw new UsageError(`there is no key '${escapeText(id)}'`, 'octo-host keys list');
  if (flag(args, 'json')) stdout.write(`${JSON.stringify(keyJson(key))}\n`);
  else stdout.write(`revoked ${key.id}, '${escapeText(key.name)}'\n`);
  return exitCodes.allWell;
};
