import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Lifecycle,
  type PluginDefinition,
  PluginError,
  type Provider,
  type Sink,
} from '@octo/plugin-api';
import type { LoadPlugin } from '../../src/host/load-plugin.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { SecretSource } from '../../src/manifest/secret-source.ts';

/** A provider that has nothing, with a life of the test's choice. */
export function provider(life: Lifecycle = {}): Provider {
  return {
    settleMs: 0,
    connect: () => Promise.reject(new PluginError('network', 'not in this test')),
    ...life,
  };
}

/** A sink that takes nothing, with a life of the test's choice. */
export function sink(life: Lifecycle = {}): Sink {
  const refuse = () => Promise.reject(new PluginError('network', 'not in this test'));
  return {
    place: 'memory:',
    commits: 'conditional',
    completeGraceMs: 0,
    smallBytes: 0,
    stage: refuse,
    abort: refuse,
    head: refuse,
    ...life,
  };
}

/** Finds plugins in a map instead of a folder. */
export function shelf(plugins: Readonly<Record<string, PluginDefinition>>): LoadPlugin {
  return async (use) => {
    const plugin = plugins[use];
    if (plugin === undefined) throw new Error(`the test has no plugin '${use}'`);
    return plugin;
  };
}

/** Reads the text as a manifest; its folder is gone afterwards. */
export async function manifestOf(
  text: string | object,
  env: Readonly<Record<string, string>> = {},
  secrets?: SecretSource,
): Promise<Manifest> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-host-'));
  try {
    const file = join(folder, 'plugins.json');
    await writeFile(file, typeof text === 'string' ? text : JSON.stringify(text));
    return await readManifest(file, { env, secrets });
  } finally {
    await rm(folder, { recursive: true });
  }
}
