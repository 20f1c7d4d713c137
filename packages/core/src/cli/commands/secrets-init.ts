import { dirname } from 'node:path';
import { createMasterKey } from '../../secrets/create-master-key.ts';
import { whereKeyIs } from '../../secrets/master-key.ts';
import { flag, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { askAt } from '../ask-at.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { UsageError } from '../usage-error.ts';

const help = 'octo-host secrets init --help';

/** `octo-host secrets init`: a store without secrets, and a master key where there is none. */
export const secretsInit: CommandCode = async (args, environment) => {
  const { stdout } = environment;
  const store = secretStoreOf(args, environment);
  const { storeFile, key } = store.place;
  await store.refuseIfThere();
  const passphrase = await wantedPassphrase(args, environment);
  await using audit = await openAuditOf(args, environment);
  const where = whereKeyIs(key);
  const isMade = await recordSecret(
    audit,
    environment,
    [{ action: 'secrets.init', target: storeFile, details: { key: where } }],
    async () => {
      const made = await createMasterKey(key, passphrase);
      if (made === undefined && passphrase !== undefined)
        throw new UsageError(
          `there is a key already, ${where}; --passphrase makes a new one`,
          help,
        );
      await store.create(made);
      return made !== undefined;
    },
  );
  if (flag(args, 'json')) {
    stdout.write(`${JSON.stringify({ store: storeFile, key: where, isMade })}\n`);
    return exitCodes.allWell;
  }
  stdout.write(isMade ? madeText(where) : `the master key is ${where}\n`);
  stdout.write(`made the secret store ${storeFile}\n`);
  if (dirname(where) === dirname(storeFile))
    stdout.write('both lie in one folder; docs/secrets.md says where the key is better kept\n');
  return exitCodes.allWell;
};

function madeText(where: string): string {
  return `made the master key ${where}; keep a copy elsewhere, without it nobody opens the secrets\n`;
}

async function wantedPassphrase(args: Args, environment: Environment): Promise<string | undefined> {
  if (!flag(args, 'passphrase')) return undefined;
  const ask = askAt(environment);
  if (ask === undefined) throw new UsageError('--passphrase takes a terminal to ask at', help);
  const passphrase = await ask('passphrase for the new master key: ');
  if (passphrase.length < 8) throw new UsageError('a passphrase has 8 characters at least', help);
  if ((await ask('the same once more: ')) === passphrase) return passphrase;
  throw new UsageError('the two are not the same', help);
}
