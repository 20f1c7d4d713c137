import type { PluginSecretStores } from '../host/plugin-secret-stores.ts';
import type { Args } from './command.ts';
import type { Environment } from './environment.ts';
import { hostOptions } from './host-options.ts';
import { createLogger, logSettings } from './logger-for.ts';

/** The stores of others that a command may ask. Nothing is started until a manifest names one. */
export async function secretStoresOf(
  args: Args,
  environment: Environment,
): Promise<PluginSecretStores> {
  const { rooms, clock, signal } = environment;
  const { PluginSecretStores } = await import('../host/plugin-secret-stores.ts');
  // What a store says is told as the reason why its secrets are missing.
  const silent = logSettings(args, environment, { format: 'text', level: 'silent' });
  return new PluginSecretStores({
    open: async (manifest) => {
      const logger = await createLogger(silent, environment);
      return await rooms.createHost(manifest, await hostOptions(args, environment, logger));
    },
    clock,
    signal,
  });
}
