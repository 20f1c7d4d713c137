import { errorOfIssues } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { type Plan, planChange } from '../manifest/plan.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { Redactor } from '../observe/redactor.ts';
import { type Pipeline, runPipeline } from '../pipeline/run-pipeline.ts';
import type { RunReport } from '../pipeline/run-report.ts';
import { buildGeneration, heritageOf, NO_HERITAGE } from './build-generation.ts';
import { disposeInstances } from './dispose-instances.ts';
import { type Generation, livingPipeline } from './generation.ts';
import type { Host, HostOptions, RunPlace } from './host.ts';
import type { LivingInstance } from './instance.ts';
import { startInstances } from './start-instances.ts';
import { Succession, type Ways } from './succession.ts';
import { tellBroken } from './tell-broken.ts';
import { tellHeld } from './tell-held.ts';

type Options = HostOptions & { readonly redactor: Redactor };

/** A pipeline held by one run: its plugins stay alive until the lease is disposed. */
export interface Lease extends Disposable {
  readonly pipeline: Pipeline;
  /** Aborted when the run has to let go: the host closes, or its plugins were replaced too long ago. */
  readonly signal: AbortSignal;
}

/** A host whose plugins live in its own process: for embedding, for tests, and in each worker for one pipeline. */
export class InProcessHost implements Host {
  readonly redact: (text: string) => string;
  readonly #options: Options;
  readonly #succession: Succession<LivingInstance, Generation>;

  private constructor(generation: Generation, options: Options) {
    this.#options = options;
    this.redact = options.redactor.redact;
    this.#succession = new Succession(generation, this.#ways(), options);
  }

  /**
   * Loads every plugin, checks every configuration and every step, and builds the instances: no I/O beyond loading code.
   * @throws OctoError with all that is wrong, as `issues`
   */
  static async create(manifest: Manifest, options: HostOptions): Promise<InProcessHost> {
    const complete = { ...options, redactor: options.redactor ?? new Redactor() };
    return new InProcessHost(await buildGeneration(manifest, NO_HERITAGE, complete), complete);
  }

  get manifest(): Manifest {
    return this.#succession.current.manifest;
  }

  get instances(): ReadonlyMap<string, LivingInstance> {
    return this.#succession.current.instances;
  }

  /**
   * The living pipeline, for `runPipeline`.
   * @throws OctoError `OCTO_PIPELINE_UNKNOWN`, `OCTO_PIPELINE_DISABLED`, or `OCTO_INSTANCE_FAILED` with the reason why
   *   one of its instances did not start
   */
  pipeline(id: string): Pipeline {
    return this.#paced(livingPipeline(this.#succession.current, id, this.redact).pipeline);
  }

  /**
   * The same for one run, which ends with the plugins that it began with, whatever is applied meanwhile. Dispose it when
   * the run has ended; pass its signal on to the run.
   * @throws OctoError as {@link pipeline}
   */
  lease(id: string): Lease {
    const { pipeline, instances } = livingPipeline(this.#succession.current, id, this.redact);
    const lease = this.#succession.lease(instances, pipeline.config.limits.maxTimeMs);
    return {
      pipeline: this.#paced(pipeline),
      signal: lease.signal,
      [Symbol.dispose]: () => lease[Symbol.dispose](),
    };
  }

  async run(id: string, place: RunPlace, signal: AbortSignal): Promise<RunReport> {
    using lease = this.lease(id);
    return await runPipeline(lease.pipeline, place, AbortSignal.any([signal, lease.signal]));
  }

  async start(signal: AbortSignal): Promise<void> {
    tellBroken(this.#succession.current.broken, this.#options.logger);
    tellHeld(this.manifest, this.#options.logger);
    for (const { id, reason } of await startInstances(this.instances.values(), signal)) {
      const fields = { instance: id, reason: this.redact(reason) };
      this.#options.logger.error(fields, 'plugin did not start');
    }
  }

  async apply(manifest: Manifest, signal: AbortSignal): Promise<Plan> {
    const before = this.manifest;
    const plan = await this.#succession.apply(manifest, signal);
    tellHeld(manifest, this.#options.logger, before);
    return plan;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#succession[Symbol.asyncDispose]();
  }

  #paced(pipeline: Pipeline): Pipeline {
    const { pace } = this.#options;
    if (pace === undefined || pipeline.providerPolicy.rate === undefined) return pipeline;
    return { ...pipeline, pace: () => pace(pipeline.config.from) };
  }

  #ways(): Ways<LivingInstance, Generation> {
    return {
      // What a module's code is cannot change in one process: Node keeps what it has loaded.
      plan: (before, after) => planChange(before, after, { withCode: false }),
      build: (manifest, before, plan) =>
        buildGeneration(manifest, heritageOf(before, plan), this.#options),
      stage: (fresh, next, signal) => this.#stage(fresh, next, signal),
      dispose: (units) => disposeInstances(units, { ...this.#options, redact: this.redact }),
    };
  }

  async #stage(
    fresh: readonly LivingInstance[],
    { manifest }: Generation,
    signal: AbortSignal,
  ): Promise<void> {
    const failed = await startInstances(fresh, signal);
    if (failed.length === 0) return;
    const issues = failed.map(({ id, reason }) => {
      const said = `did not start: ${this.redact(reason)}`;
      return manifest.source.issue('OCTO_INSTANCE_FAILED', pointerTo('/plugins', id), said);
    });
    throw errorOfIssues(manifest.source.sorted(issues));
  }
}
