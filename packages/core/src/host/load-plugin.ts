import type { PluginDefinition } from '@octo/plugin-api';

/** Finds and loads the plugin that `use` names, seen from `folder`. */
export type LoadPlugin = (use: string, folder: string) => Promise<PluginDefinition>;
