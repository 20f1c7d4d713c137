import type { Clock, PluginDefinition } from '@octo/plugin-api';
import { type Issue, OctoError } from '../errors/octo-error.ts';
import type { InstanceConfig, Manifest } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { describeError } from '../observe/describe-error.ts';
import { withDeadline } from '../resilience/deadline.ts';
import type { InspectedPath } from '../wire/brief.ts';
import type { LoadPlugin } from './load-plugin.ts';
import { validateConfig } from './validate-config.ts';

/** A plugin with a configuration that it accepts; nothing is built yet. */
export interface LoadedInstance {
  readonly config: InstanceConfig;
  readonly definition: PluginDefinition;
  /** Values at places that the plugin's schema marks secret, by pointer into the manifest. */
  readonly secrets: ReadonlyMap<string, unknown>;
  /** Values at places that the plugin's schema marks with `access`. */
  readonly paths: readonly InspectedPath[];
}

export interface Loaded {
  readonly instances: ReadonlyMap<string, LoadedInstance>;
  readonly issues: readonly Issue[];
}

/** Loading runs a module's code; one that awaits for ever would hold up the host. Milliseconds. */
const LOAD_DEADLINE_MS = 60_000;

/**
 * Loads and configures every enabled plugin of the manifest that is not kept from before; what is wrong with some does
 * not stop the others.
 */
export async function loadInstances(
  manifest: Manifest,
  load: LoadPlugin,
  clock: Clock,
  isKept: (id: string) => boolean,
): Promise<Loaded> {
  const { source } = manifest;
  const instances = new Map<string, LoadedInstance>();
  const issues: Issue[] = [];
  for (const [id, config] of manifest.plugins) {
    if (!config.enabled || isKept(id)) continue;
    const pointer = pointerTo('/plugins', id);
    try {
      const definition = await loadInTime(config.use, manifest.folder, load, clock);
      const configPointer = pointerTo(pointer, 'config');
      const checked = validateConfig(
        `'${config.use}'`,
        definition.configSchema,
        config.config,
        (at) => source.isReference(configPointer + at),
      );
      const secrets = new Map(
        [...checked.secrets].map(([at, value]) => [configPointer + at, value] as const),
      );
      issues.push(
        ...checked.problems.map(({ pointer: at, text, of }) =>
          source.issue('OCTO_CONFIG_INVALID', configPointer + at, text, of),
        ),
      );
      const valid = checked.value as InstanceConfig['config'];
      const paths = [...checked.paths].map(([at, { path, access }]) => {
        return { pointer: configPointer + at, path, access };
      });
      const configured = Object.freeze({ ...config, config: valid });
      instances.set(id, { config: configured, definition, secrets, paths });
    } catch (error) {
      if (!(error instanceof OctoError)) throw error;
      issues.push(source.remark(error.code, pointer, error.message));
    }
  }
  return { instances, issues };
}

async function loadInTime(
  use: string,
  folder: string,
  load: LoadPlugin,
  clock: Clock,
): Promise<PluginDefinition> {
  const never = new AbortController().signal;
  try {
    return await withDeadline(`loading of '${use}'`, LOAD_DEADLINE_MS, clock, never, async () =>
      load(use, folder),
    );
  } catch (error) {
    if (error instanceof OctoError) throw error;
    throw new OctoError('OCTO_PLUGIN_THREW', describeError(error), { cause: error });
  }
}
