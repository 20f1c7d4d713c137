import { listOf } from '../manifest/suggest.ts';
import { didYouMean } from '../manifest/suggest.ts';
import { isGrant, isSecretName, type SecretEntry } from '../secrets/secret-entry.ts';
import { stringOption, type Args } from './command.ts';
import { UsageError } from './usage-error.ts';

/** The name that a command was given. What is none is not repeated: it may be a value. @throws UsageError */
export function secretName(args: Args): string {
  const [name = ''] = args.operands;
  if (isSecretName(name)) return name;
  throw new UsageError(
    "the name of a secret has letters, digits, '_', '-' and '.', at most 128; this one has not. A value is never an argument",
    'octo-host secrets set --help',
  );
}

/**
 * Who may use a secret, from an option such as `--for lake,pipeline:trades`; `undefined` without it.
 * @throws UsageError
 */
export function wantedGrants(args: Args, option: string): readonly string[] | undefined {
  const text = stringOption(args, option);
  if (text === undefined) return undefined;
  const grants = text.split(',').map((one) => one.trim());
  const wrong = grants.filter((one) => !isGrant(one));
  if (wrong.length === 0) return grants;
  throw new UsageError(
    `--${option} takes ids of plugins of the manifest, 'pipeline:ID', 'host:SECTION' or '*', with commas between; not ${listOf(wrong)}`,
    'octo-host secrets grant --help',
  );
}

/** The entry of a name. @throws UsageError when there is none, with what was probably meant */
export function entryNamed(entries: readonly SecretEntry[], name: string): SecretEntry {
  const entry = entries.find((one) => one.name === name);
  if (entry !== undefined) return entry;
  const meant = didYouMean(
    name,
    entries.map((one) => one.name),
  );
  throw new UsageError(`there is no secret '${name}'${meant}`, 'octo-host secrets list');
}
