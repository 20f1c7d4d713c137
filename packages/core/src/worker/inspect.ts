import type { Clock, Logger, PluginDefinition } from '@octo/plugin-api';
import { buildInstances } from '../host/build-instances.ts';
import { disposeInstances } from '../host/dispose-instances.ts';
import { loadInstances } from '../host/load-instances.ts';
import { loadEntry, once } from '../host/load-plugin.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Inspected, InspectedInstance, PluginDescription } from '../wire/brief.ts';

const nothing = (): void => {};
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const redact = (text: string): string => text;

/** Loads a plugin, holds the configurations of its instances against its schema, builds them and throws them away. */
export async function inspectPlugin(
  manifest: Manifest,
  entry: string,
  clock: Clock,
): Promise<Inspected> {
  const load = once((use) => loadEntry(use, entry));
  const loaded = await loadInstances(manifest, load, clock, () => false);
  if (loaded.issues.length > 0) return { instances: [], issues: loaded.issues };
  const options = { logger: silent, clock, stateFolder: manifest.folder, redact };
  const built = buildInstances(manifest, loaded.instances, options);
  await disposeInstances(built.instances.values(), options);
  const instances = [...loaded.instances.values()].map(
    ({ config, definition, secrets, paths }): InspectedInstance => {
      const description = descriptionOf(definition);
      return { id: config.id, description, secrets: [...secrets.keys()], paths };
    },
  );
  return { instances, issues: built.issues };
}

/** What the plugin of this file says of itself. @throws OctoError `OCTO_PLUGIN_*` */
export async function describe(use: string, entry: string): Promise<PluginDescription> {
  return descriptionOf(await loadEntry(use, entry));
}

function descriptionOf(definition: PluginDefinition): PluginDescription {
  const { name, kind, summary, network, configSchema } = definition;
  const rest = {
    ...(summary !== undefined && { summary }),
    ...(network === false && { network }),
  };
  return { name, kind, configSchema, ...rest };
}
