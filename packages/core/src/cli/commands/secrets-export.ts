import { armored, sealFor } from '../../secrets/age-file.ts';
import { stringOption, type Args, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { UsageError } from '../usage-error.ts';

const help = 'octo-host secrets export --help';

/** `octo-host secrets export --to age1…`: all secrets as an age file for somebody else's key; what `import` reads. */
export const secretsExport: CommandCode = async (args, environment) => {
  const recipients = wantedRecipients(args);
  // Before anything is opened: what is no recipient ends here.
  await sealedText(recipients, '{}');
  const store = secretStoreOf(args, environment);
  const { entries } = await store.read();
  await using audit = await openAuditOf(args, environment);
  const details = { to: recipients.join(' '), count: entries.length };
  await recordSecret(audit, environment, [{ action: 'secrets.export', details }], async () => {
    const secrets = entries.map(({ name, value, grants }) => [name, { value, grants }]);
    const text = `${JSON.stringify(Object.fromEntries(secrets), undefined, 2)}\n`;
    environment.stdout.write(await sealedText(recipients, text));
  });
  return exitCodes.allWell;
};

/** Not repeated where they are wrong: somebody may have given the private half. */
function wantedRecipients(args: Args): readonly string[] {
  const recipients = (stringOption(args, 'to') ?? '').split(',').map((one) => one.trim());
  if (recipients.every((one) => one.startsWith('age1'))) return recipients;
  throw new UsageError('--to takes the public half of a key of age, age1…', help);
}

async function sealedText(recipients: readonly string[], text: string): Promise<string> {
  try {
    return await armored(await sealFor(recipients, Buffer.from(text)));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(
      '--to has something that is no public key of age: cut off, or mistyped',
      help,
    );
  }
}
