import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isAgeFile } from '../../secrets/age-file.ts';
import { readImport, type ImportedSecret } from '../../secrets/read-import.ts';
import { withSecret, type SecretEntry } from '../../secrets/secret-entry.ts';
import { flag, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { wantedGrants } from '../secret-operands.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { inputText } from '../secret-value.ts';
import { UsageError } from '../usage-error.ts';

const MAX_BYTES = 16 * 1024 * 1024;

/** Names, by what the import does to them. */
interface Outcome {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
}

/** `octo-host secrets import FILE`: many at once, from dotenv or JSON; all of them or none. */
export const secretsImport: CommandCode = async (args, environment) => {
  const { stdout, clock, redactor } = environment;
  const grants = wantedGrants(args, 'for');
  const imported = readImport(await importText(args, environment)).map((one) => ({
    ...one,
    ...(grants && { grants }),
  }));
  redactor.add(imported.map(({ value }) => value));
  const store = secretStoreOf(args, environment);
  const outcome = outcomeOf((await store.read()).entries, imported);
  await using audit = await openAuditOf(args, environment);
  const deeds = [...outcome.added, ...outcome.changed].map((target) => ({
    action: 'secret.import',
    target,
  }));
  const at = new Date(clock.now()).toISOString();
  if (deeds.length > 0)
    await recordSecret(audit, environment, deeds, () =>
      store.change((all) =>
        imported.reduce<readonly SecretEntry[]>(
          (entries, { name, ...change }) => withSecret(entries, name, change, at),
          all,
        ),
      ),
    );
  stdout.write(flag(args, 'json') ? `${JSON.stringify(outcome)}\n` : outcomeText(outcome));
  return exitCodes.allWell;
};

async function importText(args: Args, environment: Environment): Promise<string> {
  const [file = ''] = args.operands;
  const bytes =
    file === '-'
      ? await environment.stdin.read(MAX_BYTES)
      : await readFile(resolve(environment.cwd, file));
  if (bytes.length > MAX_BYTES) throw new UsageError('more than 16 MiB are no secrets');
  if (isAgeFile(bytes))
    throw new UsageError(
      'the file is sealed; open it first: age -d -i KEY FILE | octo-host secrets import -',
      'octo-host secrets import --help',
    );
  return inputText(bytes);
}

function outcomeOf(before: readonly SecretEntry[], imported: readonly ImportedSecret[]): Outcome {
  const old = new Map(before.map((entry) => [entry.name, entry]));
  const by = Map.groupBy(imported, (one) => outcomeOfOne(old.get(one.name), one));
  const names = (outcome: keyof Outcome) => (by.get(outcome) ?? []).map(({ name }) => name);
  return { added: names('added'), changed: names('changed'), unchanged: names('unchanged') };
}

function outcomeOfOne(
  old: SecretEntry | undefined,
  { value, grants }: ImportedSecret,
): keyof Outcome {
  if (old === undefined) return 'added';
  const isSameGrants =
    grants === undefined || [...new Set(grants)].toSorted().join() === old.grants.join();
  return old.value === value && isSameGrants ? 'unchanged' : 'changed';
}

function outcomeText({ added, changed, unchanged }: Outcome): string {
  const line = (word: string, names: readonly string[]) =>
    names.length === 0 ? '' : `${word}: ${names.join(', ')}\n`;
  const all = line('added', added) + line('changed', changed) + line('unchanged', unchanged);
  return all === '' ? 'nothing to import\n' : all;
}
