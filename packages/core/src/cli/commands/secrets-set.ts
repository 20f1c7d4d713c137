import { withSecret } from '../../secrets/secret-entry.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { grantsText, secretJson } from '../secret-json.ts';
import { entryNamed, secretName, wantedGrants } from '../secret-operands.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { secretValue } from '../secret-value.ts';

/** `octo-host secrets set NAME`: a new secret, or another value of one; from standard input or a prompt. */
export const secretsSet: CommandCode = async (args, environment) => {
  const { stdout, clock } = environment;
  const name = secretName(args);
  const grants = wantedGrants(args, 'for');
  const store = secretStoreOf(args, environment);
  const before = (await store.read()).entries.find((entry) => entry.name === name);
  const value = await secretValue(name, environment);
  await using audit = await openAuditOf(args, environment);
  const details = grants === undefined ? {} : { details: { grants: grants.join(' ') } };
  const deed = { action: 'secret.set', target: name, ...details };
  const change = grants === undefined ? { value } : { value, grants };
  const at = new Date(clock.now()).toISOString();
  const { entries } = await recordSecret(audit, environment, [deed], () =>
    store.change((all) => withSecret(all, name, change, at)),
  );
  const entry = entryNamed(entries, name);
  const did = before === undefined ? 'set' : before.value === value ? 'unchanged' : 'changed';
  if (flag(args, 'json')) stdout.write(`${JSON.stringify(secretJson(entry))}\n`);
  else stdout.write(`${did} ${name}; ${grantsText(entry)}\n`);
  return exitCodes.allWell;
};
