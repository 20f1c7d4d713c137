import { errorOfIssues } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { planChange, type Plan } from '../manifest/plan.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { removalsIssue } from '../manifest/removals.ts';
import type { Redactor } from '../observe/redactor.ts';
import type { Pipeline } from '../pipeline/run-pipeline.ts';
import { buildGeneration, heritageOf } from './build-generation.ts';
import { disposeInstances } from './dispose-instances.ts';
import { type Generation, livingPipeline } from './generation.ts';
import type { Host, HostOptions } from './host.ts';
import type { LivingInstance } from './instance.ts';
import { type Lease, PipelineLease } from './pipeline-lease.ts';
import { startInstances } from './start-instances.ts';

type Options = HostOptions & { readonly redactor: Redactor };

/** A host whose parts are all right and all there. What serves is one generation; a reload puts another in its place. */
export class RunningHost implements Host {
  readonly redact: (text: string) => string;
  readonly #options: Options;
  readonly #leases = new Set<PipelineLease>();
  readonly #retirements = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #generation: Generation;
  #applied: Promise<unknown> = Promise.resolve();
  #retired: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | undefined;

  constructor(generation: Generation, options: Options) {
    this.#generation = generation;
    this.#options = options;
    this.redact = options.redactor.redact;
  }

  get manifest(): Manifest {
    return this.#generation.manifest;
  }

  get instances(): ReadonlyMap<string, LivingInstance> {
    return this.#generation.instances;
  }

  pipeline(id: string): Pipeline {
    return livingPipeline(this.#generation, id, this.redact).pipeline;
  }

  lease(id: string): Lease {
    this.#closing.signal.throwIfAborted();
    const { pipeline, instances } = livingPipeline(this.#generation, id, this.redact);
    const lease = new PipelineLease(pipeline, instances);
    this.#leases.add(lease);
    void lease.ended.then(() => this.#leases.delete(lease));
    return lease;
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const { id, reason } of await startInstances(this.instances.values(), signal)) {
      const fields = { instance: id, reason: this.redact(reason) };
      this.#options.logger.error(fields, 'plugin did not start');
    }
  }

  apply(manifest: Manifest, signal: AbortSignal): Promise<Plan> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const applied = this.#applied.then(() => this.#apply(manifest, either));
    this.#applied = applied.catch(() => {});
    return applied;
  }

  async #apply(manifest: Manifest, signal: AbortSignal): Promise<Plan> {
    signal.throwIfAborted();
    const before = this.#generation;
    const plan = planChange(before.manifest, manifest);
    const missing = removalsIssue([...before.steps.keys()], manifest);
    if (missing !== undefined) throw errorOfIssues([missing]);
    const next = await buildGeneration(manifest, heritageOf(before, plan), this.#options);
    await this.#stage(next, before, signal);
    this.#generation = next;
    this.#retire(notIn(before, next));
    return plan;
  }

  /** Starts what is new beside what runs. If one of them does not start, all of them are closed again. */
  async #stage(next: Generation, before: Generation, signal: AbortSignal): Promise<void> {
    const fresh = notIn(next, before);
    try {
      const failed = await startInstances(fresh, signal);
      signal.throwIfAborted();
      if (failed.length === 0) return;
      const issues = failed.map(({ id, reason }) => {
        const said = `did not start: ${this.redact(reason)}`;
        return next.manifest.source.issue('OCTO_INSTANCE_FAILED', pointerTo('/plugins', id), said);
      });
      throw errorOfIssues(next.manifest.source.sorted(issues));
    } catch (error) {
      await this.#dispose(fresh);
      throw error;
    }
  }

  /** Each is closed when the runs that hold it have ended; one after the other, last started first. */
  #retire(gone: readonly LivingInstance[]): void {
    for (const instance of gone.toReversed()) {
      const retirement = this.#released(instance).then(() => {
        const closed = this.#retired.then(() => this.#dispose([instance]));
        this.#retired = closed;
        return closed;
      });
      this.#retirements.add(retirement);
      void retirement.then(() => this.#retirements.delete(retirement));
    }
  }

  async #released(instance: LivingInstance): Promise<void> {
    const { clock, retireDeadlineMs } = this.#options;
    const holders = [...this.#leases].filter((lease) => lease.holds(instance));
    const released = holders.map((lease) =>
      lease.retire(retireDeadlineMs ?? lease.pipeline.config.limits.maxTimeMs, clock),
    );
    await Promise.all(released);
  }

  async #dispose(instances: Iterable<LivingInstance>): Promise<void> {
    await disposeInstances(instances, { ...this.#options, redact: this.redact });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#close();
    return this.#disposal;
  }

  async #close(): Promise<void> {
    const reason = new Error('the host closes; the next run takes up what was in flight');
    this.#closing.abort(reason);
    await this.#applied;
    const leases = [...this.#leases];
    for (const lease of leases) lease.abort(reason);
    await Promise.all(leases.map((lease) => lease.retire(0, this.#options.clock)));
    await Promise.all(this.#retirements);
    await this.#dispose(this.instances.values());
  }
}

/** The instances of one generation that another one does not share, in the order of the manifest. */
function notIn({ instances }: Generation, other: Generation): LivingInstance[] {
  return [...instances.values()].filter((one) => other.instances.get(one.id) !== one);
}
