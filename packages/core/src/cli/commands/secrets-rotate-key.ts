import { resolve } from 'node:path';
import type { MasterKey } from '../../secrets/master-key.ts';
import type { SecretStore } from '../../secrets/secret-store.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { UsageError } from '../usage-error.ts';

const help = 'octo-host secrets rotate-key --help';

/** What is done, and what is said afterwards. */
interface Step {
  readonly action: string;
  readonly work: () => Promise<MasterKey>;
  readonly text: (key: MasterKey) => string;
}

/** `octo-host secrets rotate-key`: another master key for the store, in the place of the old one or to be brought there. */
export const secretsRotateKey: CommandCode = async (args, environment) => {
  const { stdout } = environment;
  const store = secretStoreOf(args, environment);
  const { action, work, text } = await stepOf(args, environment, store);
  await using audit = await openAuditOf(args, environment);
  const deed = { action, target: store.place.storeFile };
  const key = await recordSecret(audit, environment, [deed], work);
  const { recipient, where } = key;
  stdout.write(flag(args, 'json') ? `${JSON.stringify({ recipient, where })}\n` : text(key));
  return exitCodes.allWell;
};

async function stepOf(args: Args, { cwd }: Environment, store: SecretStore): Promise<Step> {
  const into = stringOption(args, 'into');
  if (into !== undefined && flag(args, 'finish'))
    throw new UsageError('--into begins what --finish ends; take one of them', help);
  if (flag(args, 'finish')) return await finishStep(store);
  return into === undefined
    ? await inPlaceStep(store)
    : await prepareStep(store, resolve(cwd, into));
}

async function inPlaceStep(store: SecretStore): Promise<Step> {
  const { key } = store.place;
  if (key.kind === 'variable' || key.isCredential)
    throw new UsageError(
      'the master key is where this command cannot write; --into FILE makes the new one to be brought there',
      help,
    );
  await store.keys();
  return {
    action: 'secrets.rotate-key',
    work: () => store.rotateKey(key.path),
    text: ({ where }) =>
      `the store has a new master key, ${where}; keep a copy elsewhere, and the old one only for old backups\n`,
  };
}

async function prepareStep(store: SecretStore, file: string): Promise<Step> {
  await store.keys();
  return {
    action: 'secrets.prepare-key',
    work: () => store.prepareKey(file),
    text: () =>
      `made ${file}; the store opens with it and with the old one. Bring it to where the host gets its key, then: octo-host secrets rotate-key --finish\n`,
  };
}

/** With the old key still in place the new one would be shut out. */
async function finishStep(store: SecretStore): Promise<Step> {
  const keys = await store.keys();
  const { recipient, where } = await store.key();
  if (keys.at(-1) !== recipient)
    throw new UsageError(`the key in ${where} is still the old one; bring the new one there`, help);
  return {
    action: 'secrets.rotate-key',
    work: () => store.finishKey(),
    text: () => `the store opens with the master key in ${where} alone\n`,
  };
}
