import type { Manifest } from '../manifest/manifest.ts';
import type { ReadManifestOptions } from '../manifest/read-manifest.ts';
import { askAt } from './ask-at.ts';
import type { Args } from './command.ts';
import type { Environment } from './environment.ts';
import { secretStoresOf } from './secret-stores-of.ts';
import { workplaceOf } from './workplace.ts';

/**
 * The manifest that a command works with, secrets from the store of its workplace and from stores of others included.
 * @param sealed what becomes of it while the store does not open; see `ReadManifestOptions`
 * @param file another one than `--manifest` names, absolute
 * @throws OctoError with all that is wrong, as `issues`
 */
export async function readManifestOf(
  args: Args,
  environment: Environment,
  sealed: ReadManifestOptions['sealed'] = 'refuse',
  file?: string,
): Promise<Manifest> {
  const { rooms, env, cwd } = environment;
  const { manifestFile, stateFolder } = workplaceOf(args, environment);
  const secrets = await rooms.secretSource({ env, cwd, stateFolder, ask: askAt(environment) });
  const stores = await secretStoresOf(args, environment);
  return await rooms.readManifest(file ?? manifestFile, { env, secrets, stores, sealed });
}
