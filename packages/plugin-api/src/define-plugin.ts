import type { ConfigOf, ConfigSchema } from './config-schema.ts';
import type { Logger } from './logger.ts';
import type { Provider } from './provider.ts';
import type { SecretStore } from './secrets.ts';
import type { Sink } from './sink.ts';
import type { Given, Wanted } from './token.ts';

/** The contract's version. A host loads plugins of its own version only. */
export const CONTRACT_VERSION = 1;

/** The kinds of plugin and the interface that each promises. */
export interface Kinds {
  readonly provider: Provider;
  readonly sink: Sink;
  readonly secrets: SecretStore;
}
export type Kind = keyof Kinds;

/** What `create` is given: the checked configuration, a logger, and every service that was asked for. */
export type PluginContext<S extends ConfigSchema, W extends Wanted> = {
  /** The instance's id in the manifest. */
  readonly id: string;
  /** Validated, defaults applied, frozen. */
  readonly config: ConfigOf<S>;
  readonly logger: Logger;
  /** The folder of the manifest, absolute: relative paths in the configuration are relative to it. */
  readonly baseFolder: string;
} & Given<W>;

export interface PluginSpec<K extends Kind, S extends ConfigSchema, W extends Wanted> {
  /** A short lower-case name, such as `acme`. */
  readonly name: string;
  readonly kind: K;
  /** One line for people who choose. */
  readonly summary?: string;
  readonly configSchema: S;
  /** Typed tokens of the services that `create` wants, by names of the plugin's choice. */
  readonly inject?: W;
  /** `false` for a plugin that never connects anywhere: its process then has no network, unless its partner needs one. */
  readonly network?: false;
  /** Builds an instance. Quick and without I/O: `octo-host lint` builds everything and throws it away. */
  readonly create: (context: PluginContext<S, W>) => Kinds[K];
}

/** What a plugin package default-exports. Plain data with a string brand: no class identity crosses the boundary. */
export interface PluginDefinition {
  readonly $octo: '@octo/plugin';
  readonly contract: number;
  readonly name: string;
  readonly kind: Kind;
  readonly summary?: string;
  readonly configSchema: ConfigSchema;
  readonly inject: Wanted;
  readonly network?: false;
  // The context's type is known where the plugin is written; the host builds it from `configSchema` and `inject`.
  readonly create: (context: never) => Kinds[Kind];
}

/**
 * Turns a spec into the frozen definition that a plugin package default-exports. The type of `config` follows from
 * `configSchema`, the types of the services from `inject`.
 *
 * @example
 * export default definePlugin({
 *   name: 'acme',
 *   kind: 'provider',
 *   configSchema: { type: 'object', required: ['folder'], additionalProperties: false,
 *     properties: { folder: { type: 'string' } } },
 *   create: ({ config, logger }) => new AcmeProvider(config.folder, logger),
 * });
 */
export function definePlugin<
  const K extends Kind,
  const S extends ConfigSchema,
  const W extends Wanted = Record<never, never>,
>(spec: PluginSpec<K, S, W>): PluginDefinition {
  return Object.freeze({
    inject: {},
    ...spec,
    $octo: '@octo/plugin' as const,
    contract: CONTRACT_VERSION,
  });
}

/** Whether a value has the brand of a plugin definition, of this or any other copy and version of this package. */
export function isPluginDefinition(value: unknown): value is PluginDefinition {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { readonly $octo?: unknown }).$octo === '@octo/plugin'
  );
}
