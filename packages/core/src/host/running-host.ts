import { chmod, mkdir } from 'node:fs/promises';
import type { Provider, Sink } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { Manifest, PipelineConfig } from '../manifest/manifest.ts';
import { didYouMean, listOf } from '../manifest/suggest.ts';
import { describeError } from '../observe/describe-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { Pipeline } from '../pipeline/run-pipeline.ts';
import type { BuiltInstances } from './build-instances.ts';
import type { BuiltSteps } from './build-steps.ts';
import type { Host, HostOptions } from './host.ts';
import type { LivingInstance } from './instance.ts';

interface Parts extends Omit<BuiltInstances, 'issues'> {
  readonly manifest: Manifest;
  readonly options: HostOptions;
  readonly redact: (text: string) => string;
  readonly steps: ReadonlyMap<string, BuiltSteps>;
}

/** A host whose parts are all right and all there. */
export class RunningHost implements Host {
  readonly manifest: Manifest;
  readonly instances: ReadonlyMap<string, LivingInstance>;
  readonly redact: (text: string) => string;
  readonly #parts: Parts;
  #disposal: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.manifest = parts.manifest;
    this.instances = parts.instances;
    this.redact = parts.redact;
    this.#parts = parts;
  }

  pipeline(id: string): Pipeline {
    const config = this.manifest.pipelines.get(id);
    if (config === undefined) throw this.#unknownPipeline(id);
    const steps = this.#parts.steps.get(id);
    if (steps === undefined) {
      const message = `pipeline '${id}' is switched off: "enabled": false`;
      throw new OctoError('OCTO_PIPELINE_DISABLED', message);
    }
    const provider = this.#living(config, config.from);
    const sink = this.#living(config, config.to);
    return {
      config,
      // The kinds were compared when the host was made.
      provider: provider.plugin as Provider,
      providerPolicy: provider.config.policy,
      sink: sink.plugin as Sink,
      sinkPolicy: sink.config.policy,
      ...steps,
    };
  }

  #unknownPipeline(id: string): OctoError {
    const known = [...this.manifest.pipelines.keys()];
    const hint = didYouMean(id, known) || (known.length > 0 ? `; there is ${listOf(known)}` : '');
    const message = `there is no pipeline '${escapeText(id)}'${hint}`;
    return new OctoError('OCTO_PIPELINE_UNKNOWN', message);
  }

  #living(pipeline: PipelineConfig, id: string): LivingInstance {
    const instance = this.instances.get(id);
    if (instance === undefined) {
      const message = `pipeline '${pipeline.id}' cannot run: its plugin '${id}' is switched off: "enabled": false`;
      throw new OctoError('OCTO_PIPELINE_DISABLED', message);
    }
    if (instance.state.state !== 'failed') return instance;
    const { reason, cause } = instance.state;
    const message = `pipeline '${pipeline.id}' cannot run: plugin '${id}' did not start: ${this.redact(reason)}`;
    throw new OctoError('OCTO_INSTANCE_FAILED', message, { cause });
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const instance of this.instances.values()) {
      signal.throwIfAborted();
      await instance.start(() => this.#makeStateFolder(instance.id), signal);
      const { state } = instance;
      if (state.state !== 'failed') continue;
      const fields = { instance: instance.id, reason: this.redact(state.reason) };
      this.#parts.options.logger.error(fields, 'plugin did not start');
    }
  }

  async #makeStateFolder(id: string): Promise<void> {
    const folder = this.#parts.stateFolders.get(id);
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // One that was there keeps its mode, and mkdir's is subject to the umask.
    await chmod(folder, 0o700);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  /** What was started last may lean on what was started before. */
  async #dispose(): Promise<void> {
    const { logger, disposeDeadlineMs = 10_000 } = this.#parts.options;
    for (const instance of [...this.instances.values()].toReversed()) {
      try {
        await instance.dispose(disposeDeadlineMs);
      } catch (error) {
        const fields = { instance: instance.id, reason: this.redact(describeError(error)) };
        logger.warn(fields, 'plugin did not close properly');
      }
    }
  }
}
