import type { Provider, Sink } from '@octo/plugin-api';
import type { Issue } from '../errors/octo-error.ts';
import type { PipelineConfig } from '../manifest/manifest.ts';
import type { Pipeline } from '../pipeline/run-pipeline.ts';
import type { BuiltSteps } from './build-steps.ts';
import { enabledPipeline, missingInstance, notStarted } from './cannot-run.ts';
import type { LivingInstance } from './instance.ts';
import type { Serving } from './succession.ts';

/**
 * The instances and steps that serve one manifest: the unit of hot reload. Plain and never changed; the next one shares
 * with it what the manifests have in common.
 */
export interface Generation extends Serving<LivingInstance> {
  /** By id, in the manifest's order; without the disabled ones. */
  readonly instances: ReadonlyMap<string, LivingInstance>;
  readonly units: readonly LivingInstance[];
  /** By pipeline; without the disabled ones. */
  readonly steps: ReadonlyMap<string, BuiltSteps>;
  /** Instances that are missing because their code is defect, with the reason. */
  readonly broken: ReadonlyMap<string, Issue>;
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
  const config = enabledPipeline(manifest, id);
  const built = allSteps.get(id)!;
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

function living(
  { instances, broken }: Generation,
  pipeline: PipelineConfig,
  id: string,
  redact: (text: string) => string,
): LivingInstance {
  const instance = instances.get(id);
  if (instance === undefined) throw missingInstance(pipeline, id, broken.get(id));
  if (instance.state.state !== 'failed') return instance;
  const { reason, cause } = instance.state;
  throw notStarted(pipeline, id, redact(reason), cause);
}
