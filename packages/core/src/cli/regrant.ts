import { withSecret } from '../secrets/secret-entry.ts';
import { flag, type Args } from './command.ts';
import type { Environment } from './environment.ts';
import { exitCodes } from './exit-code.ts';
import { openAuditOf } from './open-audit-of.ts';
import { recordSecret } from './record-secret.ts';
import { grantsText, secretJson } from './secret-json.ts';
import { entryNamed, secretName, wantedGrants } from './secret-operands.ts';
import { secretStoreOf } from './secret-store-of.ts';
import { UsageError } from './usage-error.ts';

/** A change of rights. */
export interface Regrant {
  readonly action: string;
  readonly option: string;
  readonly change: (grants: readonly string[], wanted: readonly string[]) => readonly string[];
}

/** Changes who may use a secret, and says who may now. @returns the exit code @throws UsageError */
export async function regrant(args: Args, environment: Environment, how: Regrant): Promise<number> {
  const { stdout, clock } = environment;
  const name = secretName(args);
  const wanted = wantedGrants(args, how.option);
  if (wanted === undefined)
    throw new UsageError(
      `--${how.option} says which plugins, such as lake,pipeline:trades`,
      `octo-host ${how.action.replace('.', 's ')} --help`,
    );
  const store = secretStoreOf(args, environment);
  refuseStrangers(how, entryNamed((await store.read()).entries, name).grants, wanted);
  await using audit = await openAuditOf(args, environment);
  const at = new Date(clock.now()).toISOString();
  const deed = { action: how.action, target: name, details: { grants: wanted.join(' ') } };
  const { entries } = await recordSecret(audit, environment, [deed], () =>
    store.change((all) => {
      const grants = how.change(entryNamed(all, name).grants, wanted);
      return withSecret(all, name, { grants }, at);
    }),
  );
  const entry = entryNamed(entries, name);
  if (flag(args, 'json')) stdout.write(`${JSON.stringify(secretJson(entry))}\n`);
  else stdout.write(`${name}: ${grantsText(entry)}\n`);
  return exitCodes.allWell;
}

/** Whoever takes a right away that is not there believes that somebody has lost it. */
function refuseStrangers({ option }: Regrant, has: readonly string[], wanted: readonly string[]) {
  const stranger = wanted.find((one) => !has.includes(one));
  if (option !== 'from' || stranger === undefined) return;
  const why = has.includes('*') ? 'all may use it, by *' : 'it had none';
  throw new UsageError(`no right to take from '${stranger}': ${why}`, 'octo-host secrets list');
}
