import type { Logger } from '@octo/plugin-api';
import type { HostOptions } from '../host/host.ts';
import type { Args } from './command.ts';
import type { Environment } from './environment.ts';
import { workplaceOf } from './workplace.ts';

/** What every command gives to its host. `OCTO_ISOLATION=none` keeps plugins in the program's own process, to debug them. */
export async function hostOptions(
  args: Args,
  { rooms, env, cwd, clock, redactor }: Environment,
  logger: Logger,
): Promise<HostOptions> {
  const { stateFolder } = workplaceOf(args, { env, cwd });
  const common = { logger, clock, stateFolder, redactor, env };
  if (env['OCTO_ISOLATION'] !== 'none') return common;
  return { ...common, isolation: 'none', stepKinds: await rooms.stepKinds() };
}
