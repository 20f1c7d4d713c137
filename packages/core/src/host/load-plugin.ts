import { pathToFileURL } from 'node:url';
import { CONTRACT_VERSION, isPluginDefinition, type PluginDefinition } from '@octo/plugin-api';
import type { ErrorCode } from '../errors/catalogue.ts';
import { OctoError } from '../errors/octo-error.ts';
import { didYouMean } from '../manifest/suggest.ts';
import { describeError } from '../observe/describe-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import { EntryNotFound, locatePlugin, type PluginCode } from '../manifest/package-entry.ts';

/** Finds and loads the plugin that `use` names, seen from `folder`. */
export type LoadPlugin = (use: string, folder: string) => Promise<PluginDefinition>;

/**
 * Loads a plugin by Node's resolution from the manifest's folder, else from the host's own place.
 * @throws OctoError `OCTO_PLUGIN_NOT_FOUND`, `_THREW`, `_NO_DEFAULT`, `_NOT_A_PLUGIN`, `_CONTRACT`, `_KIND`
 */
export const loadPlugin: LoadPlugin = async (use, folder) =>
  await loadEntry(use, pluginCode(use, folder).entry);

/** The same, from its file. */
export async function loadEntry(use: string, entry: string): Promise<PluginDefinition> {
  const name = `'${escapeText(use)}'`;
  const module = await load(entry, name);
  try {
    return definitionIn(module, name);
  } catch (error) {
    if (error instanceof OctoError) throw error;
    throw refuse(
      'OCTO_PLUGIN_NOT_A_PLUGIN',
      `${name} exports something that cannot be looked at`,
      error,
    );
  }
}

function refuse(code: ErrorCode, message: string, cause?: unknown): OctoError {
  return new OctoError(code, message, { cause });
}

/** Where the code of a plugin lies. @throws OctoError `OCTO_PLUGIN_NOT_FOUND` */
export function pluginCode(use: string, folder: string): PluginCode {
  try {
    return locatePlugin(use, folder);
  } catch (error) {
    if (!(error instanceof EntryNotFound)) throw error;
    const message = `'${escapeText(use)}' ${escapeText(error.message)}`;
    throw refuse('OCTO_PLUGIN_NOT_FOUND', message, error);
  }
}

async function load(file: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw refuse(
      'OCTO_PLUGIN_THREW',
      `${name} failed while it was loaded: ${describeError(error)}`,
      error,
    );
  }
}

const WRITE = 'write: export default definePlugin({ … })';

function definitionIn(module: Readonly<Record<string, unknown>>, name: string): PluginDefinition {
  const plugin = module.default;
  if (isPluginDefinition(plugin)) return checked(plugin, name);
  const named = Object.keys(module).find((key) => isPluginDefinition(module[key]));
  if (named !== undefined) {
    throw refuse(
      'OCTO_PLUGIN_NO_DEFAULT',
      `${name} exports its plugin as '${escapeText(named)}', not as default; ${WRITE}`,
    );
  }
  if (plugin === undefined)
    throw refuse('OCTO_PLUGIN_NO_DEFAULT', `${name} has no default export; ${WRITE}`);
  if (isPluginDefinition(innerDefault(plugin))) {
    throw refuse(
      'OCTO_PLUGIN_NO_DEFAULT',
      `${name} is a CommonJS module with an inner default; publish it as an ES module`,
    );
  }
  const what = plugin === null ? 'null' : `a value of type ${typeof plugin}`;
  throw refuse(
    'OCTO_PLUGIN_NOT_A_PLUGIN',
    `${name} exports ${what}, not what definePlugin returns; ${WRITE}`,
  );
}

/** What a transpiler makes of `export default` for `require`. */
function innerDefault(value: unknown): unknown {
  return isObject(value) ? value.default : undefined;
}

const KINDS: readonly string[] = ['provider', 'sink', 'secrets'];

/** A copy of the parts that count, read once: what a plugin's getters say later changes nothing. */
function checked(plugin: PluginDefinition, package_: string): PluginDefinition {
  const { $octo, contract, name, kind, summary, configSchema, inject, network, create } = plugin;
  if (contract !== CONTRACT_VERSION) {
    const versions = `contract ${String(contract)}; this host speaks ${CONTRACT_VERSION}`;
    throw refuse(
      'OCTO_PLUGIN_CONTRACT',
      `${package_} was written for ${versions}; install versions that fit each other`,
    );
  }
  if (typeof kind !== 'string' || !KINDS.includes(kind)) {
    const shown = escapeText(kind);
    const hint = didYouMean(shown, KINDS) || '; this host knows provider, sink and secrets';
    throw refuse('OCTO_PLUGIN_KIND', `${package_} is a plugin of kind '${shown}'${hint}`);
  }
  const missing =
    (typeof name !== 'string' && 'name') ||
    (!isObject(configSchema) && 'configSchema') ||
    (!isObject(inject) && 'inject') ||
    (typeof create !== 'function' && 'create');
  if (missing !== false) {
    throw refuse(
      'OCTO_PLUGIN_NOT_A_PLUGIN',
      `${package_} exports a plugin without a proper '${missing}'; ${WRITE}`,
    );
  }
  const rest = {
    ...(typeof summary === 'string' && { summary }),
    ...(network === false && { network }),
  };
  return Object.freeze({ $octo, contract, name, kind, configSchema, inject, create, ...rest });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Two instances of one plugin share its code. */
export function once(load: LoadPlugin): LoadPlugin {
  const loading = new Map<string, Promise<PluginDefinition>>();
  return (use, folder) => {
    const running = loading.get(use) ?? load(use, folder);
    loading.set(use, running);
    return running;
  };
}
