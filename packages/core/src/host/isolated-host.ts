import { errorOfIssues } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { type Plan, planChange } from '../manifest/plan.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { describeError } from '../observe/describe-error.ts';
import { Redactor } from '../observe/redactor.ts';
import type { RunReport } from '../pipeline/run-report.ts';
import type { OpenedInstance } from '../wire/brief.ts';
import { receivedError } from '../wire/sent-error.ts';
import type { PipelineWorker } from '../workers/pipeline-worker.ts';
import { WORKER_LIMITS } from '../workers/worker-limits.ts';
import { buildIsolated, type IsolatedGeneration, type IsolatedOptions } from './build-isolated.ts';
import { enabledPipeline, missingInstance, notStarted } from './cannot-run.ts';
import type { Host, HostOptions, RunPlace } from './host.ts';
import type { RemoteInstance } from './remote-instance.ts';
import { Succession, type Ways } from './succession.ts';
import { tellBroken } from './tell-broken.ts';
import { tellHeld } from './tell-held.ts';

/** Processes that are started at the same time. */
const STARTS_AT_ONCE = 4;

/** A host that runs no plugin's code: each pipeline's plugins live in a worker, a process of their own. */
export class IsolatedHost implements Host {
  readonly redact: (text: string) => string;
  readonly #options: IsolatedOptions;
  readonly #succession: Succession<PipelineWorker, IsolatedGeneration>;
  #isTelling = false;

  private constructor(manifest: Manifest, options: IsolatedOptions) {
    this.#options = options;
    this.redact = options.redactor.redact;
    this.#succession = new Succession(nothing(manifest), this.#ways(), options);
  }

  /** @throws OctoError with all that is wrong, as `issues` */
  static async create(manifest: Manifest, options: HostOptions): Promise<IsolatedHost> {
    const { defects } = options;
    const host: IsolatedHost = new IsolatedHost(manifest, {
      ...options,
      redactor: options.redactor ?? new Redactor(),
      limits: { ...WORKER_LIMITS, ...options.workers },
      onChange: () => host.#changed(),
      workerOf: (id) => host.#workerOf(id),
    });
    await host.#begin(manifest, defects);
    return host;
  }

  get manifest(): Manifest {
    return this.#succession.current.manifest;
  }

  get instances(): ReadonlyMap<string, RemoteInstance> {
    return this.#succession.current.instances;
  }

  async run(id: string, place: RunPlace, signal: AbortSignal): Promise<RunReport> {
    const { manifest, workers, broken, instances } = this.#succession.current;
    const config = enabledPipeline(manifest, id);
    const worker = workers.get(id);
    if (worker === undefined) {
      const missing = [config.from, config.to].find((one) => !instances.has(one))!;
      throw missingInstance(config, missing, broken.get(missing));
    }
    using lease = this.#succession.lease([worker], config.limits.maxTimeMs);
    const either = AbortSignal.any([signal, lease.signal]);
    for (const instance of worker.instances) {
      const { failure } = await worker.opened(instance, either);
      if (failure === undefined) continue;
      // The next run may find it mended: a failed start leaves no process behind.
      await worker.cool();
      const cause = receivedError(failure);
      throw notStarted(config, instance, this.redact(describeError(cause)), cause);
    }
    return await worker.run(config, place, either);
  }

  async start(signal: AbortSignal): Promise<void> {
    const { broken, units, instances } = this.#succession.current;
    tellBroken(broken, this.#options.logger);
    tellHeld(this.manifest, this.#options.logger);
    await this.#openAll(units, signal, (id, opened, error) =>
      settle(instances.get(id)!, opened, error),
    );
    for (const { id, state } of instances.values()) {
      if (state.state !== 'failed') continue;
      const fields = { instance: id, reason: this.redact(state.reason) };
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

  async #begin(manifest: Manifest, defects: HostOptions['defects']): Promise<void> {
    this.#succession.begin(
      await buildIsolated(manifest, nothing(manifest), this.#options, () => defects === 'isolate'),
    );
  }

  #ways(): Ways<PipelineWorker, IsolatedGeneration> {
    return {
      plan: (before, after) => planChange(before, after),
      build: async (manifest, before, plan) => {
        const isTolerated = (id: string) => before.broken.has(id) && plan.plugins.kept.includes(id);
        return await buildIsolated(manifest, before, this.#options, isTolerated, plan);
      },
      stage: (fresh, next, signal) => this.#stage(fresh, next, signal),
      dispose: async (units) => {
        await Promise.all(units.map((unit) => unit[Symbol.asyncDispose]()));
      },
    };
  }

  /** As many workers as it takes to see every new instance start; the others start when they are needed. */
  async #stage(
    fresh: readonly PipelineWorker[],
    { manifest, instances }: IsolatedGeneration,
    signal: AbortSignal,
  ): Promise<void> {
    const kept = this.instances;
    const seen = new Set<string>();
    const some = fresh.filter((worker) => {
      const isNews = worker.instances.some((id) => !seen.has(id));
      for (const id of worker.instances) seen.add(id);
      return isNews;
    });
    const failures = new Map<string, unknown>();
    await this.#openAll(some, signal, (id, opened, error) => {
      const instance = instances.get(id)!;
      // What runs already keeps the state that it has there.
      if (kept.get(id) !== instance) settle(instance, opened, error);
      const cause = opened?.failure === undefined ? error : receivedError(opened.failure);
      if (cause !== undefined) failures.set(id, cause);
    });
    if (failures.size === 0) return;
    const issues = [...failures].map(([id, cause]) => {
      const said = `did not start: ${this.redact(describeError(cause))}`;
      return manifest.source.issue('OCTO_INSTANCE_FAILED', pointerTo('/plugins', id), said);
    });
    throw errorOfIssues(manifest.source.sorted(issues));
  }

  async #openAll(
    workers: readonly PipelineWorker[],
    signal: AbortSignal,
    tell: (id: string, opened: OpenedInstance | undefined, error?: unknown) => void,
  ): Promise<void> {
    const waiting = workers.flatMap((worker) => worker.instances.map((id) => ({ worker, id })));
    const openNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        try {
          tell(next.id, await next.worker.opened(next.id, signal));
        } catch (error) {
          signal.throwIfAborted();
          tell(next.id, undefined, error);
        }
      }
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, openNext));
  }

  #workerOf(id: string): PipelineWorker {
    return this.#succession.current.units.find((worker) => worker.instances.includes(id))!;
  }

  /** Many changes at once are told once. */
  #changed(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#trim();
      this.#options.onWorkers?.(this.#succession.current.units.map(({ status }) => status));
    });
  }

  #trim(): void {
    const idle = this.#succession.current.units
      .filter((worker) => worker.idleSinceMs !== undefined)
      .toSorted((a, b) => a.idleSinceMs! - b.idleSinceMs!);
    const { mostIdle } = this.#options.limits;
    for (const worker of idle.slice(0, Math.max(0, idle.length - mostIdle))) void worker.cool();
  }
}

function settle(
  instance: RemoteInstance,
  opened: OpenedInstance | undefined,
  error: unknown,
): void {
  if (opened === undefined) instance.failed(error);
  else instance.opened(opened);
}

/** Before the first manifest is served. */
function nothing(manifest: Manifest): IsolatedGeneration {
  return {
    manifest,
    units: [],
    workers: new Map(),
    lone: new Map(),
    steps: new Map(),
    instances: new Map(),
    broken: new Map(),
  };
}
