import type { InstanceConfig, Manifest, PipelineConfig } from './manifest.ts';
import { ManifestSource, type SourceParts } from './manifest-source.ts';
import { pointerTo } from './pointer.ts';

/** A part of a manifest as plain data, for a process that must know no more than this part. */
export interface Excerpt {
  readonly file: string;
  readonly folder: string;
  readonly plugins: readonly InstanceConfig[];
  readonly pipelines: readonly PipelineConfig[];
  readonly source: SourceParts;
}

/** What a manifest says of these plugins and pipelines, and nothing of the others. */
export function excerptOf(
  { file, folder, plugins, pipelines, source }: Manifest,
  ids: { readonly plugins: readonly string[]; readonly pipelines: readonly string[] },
): Excerpt {
  const pointers = [
    ...ids.plugins.map((id) => pointerTo('/plugins', id)),
    ...ids.pipelines.map((id) => pointerTo('/pipelines', id)),
  ];
  return {
    file,
    folder,
    plugins: ids.plugins.flatMap((id) => plugins.get(id) ?? []),
    pipelines: ids.pipelines.flatMap((id) => pipelines.get(id) ?? []),
    source: source.partsBelow(pointers),
  };
}

/** The excerpt as a manifest of its own. */
export function manifestFrom({ file, folder, plugins, pipelines, source }: Excerpt): Manifest {
  return {
    file,
    folder,
    plugins: new Map(plugins.map((one) => [one.id, one])),
    pipelines: new Map(pipelines.map((one) => [one.id, completed(one)])),
    allowRemovals: false,
    source: ManifestSource.from(source),
  };
}

/** What is `undefined` does not travel. */
function completed(one: PipelineConfig): PipelineConfig {
  const { schedule, everyMs, settleMs } = one;
  return { ...one, schedule, everyMs, settleMs };
}
