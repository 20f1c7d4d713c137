import { OctoError } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { didYouMean, listOf } from '../manifest/suggest.ts';
import { escapeText } from '../observe/escape-text.ts';
import { UsageError } from './usage-error.ts';

/**
 * The manifest with this pipeline and the plugins it uses only: a run does not suffer from what others got wrong.
 * @throws OctoError `OCTO_PIPELINE_UNKNOWN`, with the names there are
 */
export function narrowManifest(manifest: Manifest, pipelineId: string): Manifest {
  const pipeline = manifest.pipelines.get(pipelineId);
  if (pipeline === undefined) throw unknownPipeline(pipelineId, [...manifest.pipelines.keys()]);
  const used = [...manifest.plugins].filter(([id]) => id === pipeline.from || id === pipeline.to);
  const pointers = [
    pointerTo('/pipelines', pipelineId),
    ...used.map(([id]) => pointerTo('/plugins', id)),
  ];
  const held = [...(manifest.held ?? [])].filter(([pointer]) => pointers.includes(pointer));
  const pipelines = new Map([[pipelineId, pipeline]]);
  return { ...manifest, plugins: new Map(used), pipelines, held: new Map(held) };
}

/**
 * The manifest with the sinks of its pipelines only, or with one of them: whoever just looks at them starts no vendor and no
 * step, and does not suffer from what is wrong with those.
 * @throws UsageError for a sink that no pipeline delivers to
 */
export function narrowToSinks(
  manifest: Manifest,
  only: { readonly pipeline?: string | undefined; readonly sink?: string | undefined },
): Manifest {
  const pipeline = manifest.pipelines.get(only.pipeline ?? '');
  const used = (pipeline ? [pipeline] : [...manifest.pipelines.values()]).map(({ to }) => to);
  const ids = only.sink === undefined ? used : used.filter((id) => id === only.sink);
  if (only.sink !== undefined && ids.length === 0) throw unknownSink(only.sink, new Set(used));
  const pointers = ids.map((id) => pointerTo('/plugins', id));
  return {
    ...manifest,
    plugins: new Map([...manifest.plugins].filter(([id]) => ids.includes(id))),
    pipelines: new Map(),
    held: new Map([...(manifest.held ?? [])].filter(([pointer]) => pointers.includes(pointer))),
  };
}

function unknownSink(id: string, known: ReadonlySet<string>): UsageError {
  const hint = didYouMean(id, known) || (known.size > 0 ? `; there is ${listOf(known)}` : '');
  return new UsageError(`no pipeline delivers to '${escapeText(id)}'${hint}`);
}

function unknownPipeline(id: string, known: readonly string[]): OctoError {
  const hint = didYouMean(id, known) || (known.length > 0 ? `; there is ${listOf(known)}` : '');
  const message = `there is no pipeline '${escapeText(id)}'${hint}`;
  return new OctoError('OCTO_PIPELINE_UNKNOWN', message);
}
