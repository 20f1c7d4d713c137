import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { secretJson } from '../secret-json.ts';
import { entryNamed, secretName } from '../secret-operands.ts';
import { secretStoreOf } from '../secret-store-of.ts';

/** `octo-host secrets remove NAME`: it is not there any more; until the next change it is in the store before. */
export const secretsRemove: CommandCode = async (args, environment) => {
  const { stdout } = environment;
  const name = secretName(args);
  const store = secretStoreOf(args, environment);
  const entry = entryNamed((await store.read()).entries, name);
  await using audit = await openAuditOf(args, environment);
  const deed = { action: 'secret.remove', target: name };
  await recordSecret(audit, environment, [deed], () =>
    store.change((all) => all.filter((one) => one.name !== name)),
  );
  if (flag(args, 'json')) stdout.write(`${JSON.stringify(secretJson(entry))}\n`);
  else stdout.write(`removed ${name}\n`);
  return exitCodes.allWell;
};
