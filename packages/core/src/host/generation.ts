import type { Provider, Sink } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { Manifest, PipelineConfig } from '../manifest/manifest.ts';
import { didYouMean, listOf } from '../manifest/suggest.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { Pipeline } from '../pipeline/run-pipeline.ts';
import type { BuiltSteps } from './build-steps.ts';
import type { LivingInstance } from './instance.ts';

/**
 * The instances and steps that serve one manifest: the unit of hot reload. Plain and never changed; the next one shares
 * with it what the manifests have in common.
 */
export interface Generation {
  readonly manifest: Manifest;
  /** By id, in the manifest's order; without the disabled ones. */
  readonly instances: ReadonlyMap<string, LivingInstance>;
  /** By pipeline; without the disabled ones. */
  readonly steps: ReadonlyMap<string, BuiltSteps>;
}

export interface LivingPipeline {
  readonly pipeline: Pipeline;
  /** Its provider and its sink. */
  readonly instances: readonly LivingInstance[];
}

/**
 * A pipeline of a generation with its living plugins.
 * @throws OctoError `OCTO_PIPELINE_UNKNOWN`, `OCTO_PIPELINE_DISABLED`, `OCTO_INSTANCE_FAILED`
 */
export function livingPipeline(
  generation: Generation,
  id: string,
  redact: (text: string) => string,
): LivingPipeline {
  const { manifest, steps: allSteps } = generation;
  const config = manifest.pipelines.get(id);
  if (config === undefined) throw unknownPipeline(id, manifest);
  const built = allSteps.get(id);
  if (built === undefined) {
    const message = `pipeline '${id}' is switched off: "enabled": false`;
    throw new OctoError('OCTO_PIPELINE_DISABLED', message);
  }
  const provider = living(generation, config, config.from, redact);
  const sink = living(generation, config, config.to, redact);
  const pipeline = {
    config,
    // The kinds were compared when the generation was built.
    provider: provider.plugin as Provider,
    providerPolicy: provider.config.policy,
    sink: sink.plugin as Sink,
    sinkPolicy: sink.config.policy,
    steps: built.steps,
  };
  return { pipeline, instances: [provider, sink] };
}

function unknownPipeline(id: string, { pipelines }: Manifest): OctoError {
  const known = [...pipelines.keys()];
  const hint = didYouMean(id, known) || (known.length > 0 ? `; there is ${listOf(known)}` : '');
  const message = `there is no pipeline '${escapeText(id)}'${hint}`;
  return new OctoError('OCTO_PIPELINE_UNKNOWN', message);
}

function living(
  { instances }: Generation,
  pipeline: PipelineConfig,
  id: string,
  redact: (text: string) => string,
): LivingInstance {
  const instance = instances.get(id);
  if (instance === undefined) {
    const message = `pipeline '${pipeline.id}' cannot run: its plugin '${id}' is switched off: "enabled": false`;
    throw new OctoError('OCTO_PIPELINE_DISABLED', message);
  }
  if (instance.state.state !== 'failed') return instance;
  const { reason, cause } = instance.state;
  const message = `pipeline '${pipeline.id}' cannot run: plugin '${id}' did not start: ${redact(reason)}`;
  throw new OctoError('OCTO_INSTANCE_FAILED', message, { cause });
}
