import type { Clock, Logger } from '@octo/plugin-api';
import type { PluginDescription } from '../wire/brief.ts';
import { Inspection } from '../workers/inspection.ts';
import { WORKER_LIMITS } from '../workers/worker-limits.ts';
import { pluginCode } from './load-plugin.ts';

/**
 * What the plugin that `use` names, seen from `folder`, says of itself. Its code runs in a process of its own.
 * @throws OctoError `OCTO_PLUGIN_*`, as `loadPlugin`
 */
export async function describePlugin(
  use: string,
  folder: string,
  options: { readonly clock: Clock; readonly logger: Logger },
): Promise<PluginDescription> {
  const code = pluginCode(use, folder);
  await using inspection = new Inspection([code], { ...options, limits: WORKER_LIMITS });
  return await inspection.description(use, code.entry);
}
