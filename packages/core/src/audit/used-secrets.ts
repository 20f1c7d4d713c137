import type { Manifest } from '../manifest/manifest.ts';
import { segmentsOf } from '../manifest/pointer.ts';

/** Which parts of a manifest begin to use their secrets: ids of plugins and of pipelines. */
export interface Beginning {
  readonly plugins: readonly string[];
  readonly pipelines: readonly string[];
  /** The host's own section. */
  readonly host: boolean;
}

/** Names of secrets with the places that use them, as pointers into the manifest. Never a value. */
export function usedSecrets(manifest: Manifest, beginning: Beginning): Map<string, string[]> {
  const used = new Map<string, string[]>();
  for (const [pointer, references] of manifest.source.references) {
    if (!begins(pointer, beginning)) continue;
    for (const { scheme, name } of references)
      if (scheme === 'secret') used.set(name, [...(used.get(name) ?? []), pointer]);
  }
  return used;
}

function begins(pointer: string, { plugins, pipelines, host }: Beginning): boolean {
  const [room, id = ''] = segmentsOf(pointer);
  if (room === 'plugins') return plugins.includes(id);
  return room === 'pipelines' ? pipelines.includes(id) : host && room === 'host';
}
