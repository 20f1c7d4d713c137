import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { secretStoreOf } from '../secret-store-of.ts';

/** `octo-host secrets accept`: the store that lies there counts, although it is older than what was here, or another. */
export const secretsAccept: CommandCode = async (args, environment) => {
  const { stdout } = environment;
  const store = secretStoreOf(args, environment);
  await using audit = await openAuditOf(args, environment);
  const deed = { action: 'secrets.accept', target: store.place.storeFile };
  const { revision } = await recordSecret(audit, environment, [deed], () => store.accept());
  if (flag(args, 'json')) stdout.write(`${JSON.stringify({ revision })}\n`);
  else stdout.write(`accepted ${store.place.storeFile}, from now on revision ${revision}\n`);
  return exitCodes.allWell;
};
