import type { CommandCode } from '../command.ts';
import { regrant } from '../regrant.ts';

/** `octo-host secrets grant NAME --for ID`: those may use it, too. */
export const secretsGrant: CommandCode = async (args, environment) =>
  await regrant(args, environment, {
    action: 'secret.grant',
    option: 'for',
    change: (grants, wanted) => [...grants, ...wanted],
  });
