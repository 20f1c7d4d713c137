import { withSecret } from '../../secrets/secret-entry.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { grantsText, secretJson } from '../secret-json.ts';
import { entryNamed, secretName } from '../secret-operands.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { secretValue } from '../secret-value.ts';
import { UsageError } from '../usage-error.ts';

/** `octo-host secrets rotate NAME`: another value for a secret that is there; who may use it stays. */
export const secretsRotate: CommandCode = async (args, environment) => {
  const { stdout, clock } = environment;
  const name = secretName(args);
  const store = secretStoreOf(args, environment);
  const before = entryNamed((await store.read()).entries, name);
  const value = await secretValue(name, environment);
  if (value === before.value)
    throw new UsageError(
      `that is the value which '${name}' has already`,
      'octo-host secrets rotate --help',
    );
  await using audit = await openAuditOf(args, environment);
  const at = new Date(clock.now()).toISOString();
  const deed = { action: 'secret.rotate', target: name };
  const { entries } = await recordSecret(audit, environment, [deed], () =>
    store.change((all) => withSecret(all, entryNamed(all, name).name, { value }, at)),
  );
  const entry = entryNamed(entries, name);
  if (flag(args, 'json')) stdout.write(`${JSON.stringify(secretJson(entry))}\n`);
  else stdout.write(`rotated ${name}; ${grantsText(entry)}\n`);
  return exitCodes.allWell;
};
