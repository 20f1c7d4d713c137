import type { CommandCode } from '../command.ts';
import { regrant } from '../regrant.ts';

/** `octo-host secrets revoke NAME --from ID`: those may use it no more. */
export const secretsRevoke: CommandCode = async (args, environment) =>
  await regrant(args, environment, {
    action: 'secret.revoke',
    option: 'from',
    change: (grants, wanted) => grants.filter((one) => !wanted.includes(one)),
  });
