import { OctoError } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { didYouMean, listOf } from '../manifest/suggest.ts';
import { escapeText } from '../observe/escape-text.ts';

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

function unknownPipeline(id: string, known: readonly string[]): OctoError {
  const hint = didYouMean(id, known) || (known.length > 0 ? `; there is ${listOf(known)}` : '');
  const message = `there is no pipeline '${escapeText(id)}'${hint}`;
  return new OctoError('OCTO_PIPELINE_UNKNOWN', message);
}
