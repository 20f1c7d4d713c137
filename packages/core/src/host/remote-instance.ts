import type { Clock } from '@octo/plugin-api';
import type { InstanceConfig } from '../manifest/manifest.ts';
import { describeError } from '../observe/describe-error.ts';
import { withDeadline } from '../resilience/deadline.ts';
import type { InspectedInstance, OpenedInstance, PluginDescription } from '../wire/brief.ts';
import { receivedError } from '../wire/sent-error.ts';
import type { PipelineWorker } from '../workers/pipeline-worker.ts';
import type { Asked, Instance, InstanceState } from './instance.ts';

/** The worker in which an instance lives now. */
export type WorkerOf = (instance: string) => PipelineWorker;

/** A plugin that lives in the worker of its pipeline; of several, in that of the first. */
export class RemoteInstance implements Instance {
  readonly id: string;
  readonly config: InstanceConfig;
  readonly inspected: InspectedInstance;
  readonly #clock: Clock;
  readonly #workerOf: WorkerOf;
  #plugin: Asked = {};
  #state: InstanceState = { state: 'created' };

  constructor(
    config: InstanceConfig,
    inspected: InspectedInstance,
    { clock, workerOf }: { readonly clock: Clock; readonly workerOf: WorkerOf },
  ) {
    this.id = config.id;
    this.config = config;
    this.inspected = inspected;
    this.#clock = clock;
    this.#workerOf = workerOf;
  }

  get definition(): PluginDescription {
    return this.inspected.description;
  }

  get plugin(): Asked {
    return this.#plugin;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** Takes over what its worker says of it. */
  opened({ offers, place, failure }: OpenedInstance): void {
    const worker = () => this.#workerOf(this.id);
    this.#plugin = {
      ...(offers.health && { health: (signal) => worker().health(this.id, signal) }),
      ...(offers.get && { get: (name, signal) => worker().secret(this.id, name, signal) }),
      ...(offers.head && { head: (key, signal) => worker().head(this.id, key, signal) }),
      ...(place !== undefined && { place }),
      ...(offers.diagnose && { diagnose: (signal) => worker().diagnose(this.id, signal) }),
    };
    if (failure === undefined) this.#state = { state: 'started' };
    else this.failed(receivedError(failure));
  }

  failed(cause: unknown): void {
    this.#state = { state: 'failed', reason: describeError(cause), cause };
  }

  async health(signal: AbortSignal): Promise<void> {
    const what = `health of plugin '${this.id}'`;
    await withDeadline(what, this.config.policy.timeoutMs, this.#clock, signal, async (inner) =>
      this.plugin.health?.(inner),
    );
  }
}
