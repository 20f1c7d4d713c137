import { actorNamed } from '../../audit/actor.ts';
import { parseScopes } from '../../auth/scope.ts';
import { periodMs } from '../../manifest/period.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { keyJson } from '../key-json.ts';
import { keyStoreOf } from '../key-store-of.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { operatorName } from '../operator.ts';
import { UsageError } from '../usage-error.ts';

const help = 'octo-host help keys create';

/** `octo-host keys create`: a new key for the API. Its text is printed once, and is nowhere else. */
export const keysCreate: CommandCode = async (args, environment) => {
  const { stdout, stderr } = environment;
  const name = wantedName(args);
  const scopes = parseScopes(wantedScopes(args));
  const expiresAt = wantedEnd(args, environment);
  await using audit = await openAuditOf(args, environment);
  await using keys = await keyStoreOf(args, environment);
  const wanted = { name, scopes, ...(expiresAt === undefined ? {} : { expiresAt }) };
  await audit.record({
    action: 'key.create',
    actor: actorNamed(operatorName(environment.env)),
    target: name,
    outcome: 'done',
    details: { scopes: wantedScopes(args).join(' ') },
  });
  const { key, text } = await keys.store.create(wanted);
  if (flag(args, 'json')) {
    stdout.write(`${JSON.stringify({ key: text, ...keyJson(key) })}\n`);
    return exitCodes.allWell;
  }
  // The key alone on stdout, so that it can go into a file or a variable.
  stdout.write(`${text}\n`);
  stderr.write(`key ${key.id}, '${escapeText(name)}': keep it now, it is not shown again\n`);
  return exitCodes.allWell;
};

function wantedName(args: Args): string {
  const name = stringOption(args, 'name')?.trim() ?? '';
  if (name === '' || name.length > 100 || name.includes('\0'))
    throw new UsageError('--name says what the key is for, in 1 to 100 characters', help);
  return name;
}

function wantedScopes(args: Args): readonly string[] {
  const scopes = (stringOption(args, 'scope') ?? '').split(/[\s,]+/).filter((one) => one !== '');
  if (scopes.length > 0) return scopes;
  throw new UsageError(
    '--scope says what the key may do, such as runs:read,runs:write:affirm-*',
    help,
  );
}

/** A period, or a moment. @returns milliseconds since the Unix epoch */
function wantedEnd(args: Args, { clock }: Environment): number | undefined {
  const text = stringOption(args, 'expires');
  if (text === undefined) return undefined;
  const ms = periodMs(text);
  const end = ms === undefined ? Date.parse(text) : clock.now() + ms;
  if (end > clock.now()) return end;
  throw new UsageError(
    `--expires is a period such as 90d, or a moment to come such as 2027-01-31T00:00:00Z, not '${escapeText(text)}'`,
    help,
  );
}
