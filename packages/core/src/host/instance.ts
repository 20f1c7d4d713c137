import type { PluginDefinition, Provider, Sink } from '@octo/plugin-api';
import type { InstanceConfig } from '../manifest/manifest.ts';

/** Where an instance is in its life. */
export type InstanceState =
  | { readonly state: 'created' }
  | { readonly state: 'started' }
  | { readonly state: 'failed'; readonly reason: string; readonly cause: unknown }
  | { readonly state: 'disposed' };

/** One configured plugin. */
export interface Instance {
  readonly id: string;
  readonly config: InstanceConfig;
  readonly definition: PluginDefinition;
  readonly plugin: Provider | Sink;
  readonly state: InstanceState;
}
