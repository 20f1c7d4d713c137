import type { Clock, Logger, SyncToDisk } from '@octo/plugin-api';
import type { Manifest } from '../manifest/manifest.ts';
import type { Plan } from '../manifest/plan.ts';
import type { Redactor } from '../observe/redactor.ts';
import type { RunOptions } from '../pipeline/run-pipeline.ts';
import type { RunReport } from '../pipeline/run-report.ts';
import type { StepKind } from '../pipeline/step.ts';
import type { Instance } from './instance.ts';
import type { LoadPlugin } from './load-plugin.ts';
import type { WorkerLimits } from '../workers/worker-limits.ts';
import type { WorkerStatus } from '../workers/worker-status.ts';

export interface HostOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Absolute; below it each instance that asks for one gets a folder of its own. */
  readonly stateFolder: string;
  /**
   * `process`, the default: each pipeline's plugins live in a process of their own. `none`: in this one, for embedding and
   * tests; then nothing protects the program from a plugin.
   */
  readonly isolation?: 'process' | 'none';
  /** What becomes of a manifest with a plugin whose code is defect. `isolate`: only its pipelines do not run. */
  readonly defects?: 'refuse' | 'isolate';
  /** The environment that `allow.env` of a plugin picks from. Default: nothing. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How patient the host is with workers. */
  readonly workers?: Partial<WorkerLimits>;
  /** Is told whenever the state of a worker has changed. */
  readonly onWorkers?: (workers: readonly WorkerStatus[]) => void;
  /** The steps that pipelines may use; only with `isolation: 'none'`, a worker has its own. */
  readonly stepKinds?: readonly StepKind[];
  /** Is told every secret of the manifest. Give the one that your logger uses. */
  readonly redactor?: Redactor;
  /** What `SYNC_TO_DISK` is. Default: `fsync`, by this process. */
  readonly syncToDisk?: SyncToDisk;
  /** Only with `isolation: 'none'`. Default: Node's resolution from the manifest's folder. */
  readonly loadPlugin?: LoadPlugin;
  /**
   * Takes the next request to an instance that is asked only so often, and says after how many milliseconds it may be made.
   * Default: nobody waits.
   */
  readonly pace?: (instance: string) => Promise<number>;
  /** How long one instance may take to close. Default 10,000. */
  readonly disposeDeadlineMs?: number;
  /**
   * How long a run may go on with plugins that a reload has replaced. Default: its pipeline's `limits.maxTimeMs`, so that
   * every file in flight may end.
   */
  readonly retireDeadlineMs?: number;
}

/** Where a run keeps its books, and what it is told. */
export interface RunPlace extends RunOptions {
  /** The run's name in logs and in the audit log. */
  readonly trace?: string | undefined;
  /** Who asked, for the audit log: `key:…`, `client:…`, `operator:…`, `host`. Default: whoever leads the host. */
  readonly by?: string | undefined;
}

/** The plugins of one manifest, and the pipelines between them. A changed manifest takes its place while runs go on. */
export interface Host extends AsyncDisposable {
  /** The one that is served now. */
  readonly manifest: Manifest;
  /** Of the manifest that is served now: by id, in its order; without those that are disabled or defect. */
  readonly instances: ReadonlyMap<string, Instance>;
  /** Takes the manifest's secrets out of a text that is to be shown. */
  readonly redact: (text: string) => string;
  /**
   * One run of a pipeline. It ends with the plugins that it began with, whatever is applied meanwhile.
   * @returns its report, as `runPipeline` does
   * @throws OctoError `OCTO_PIPELINE_UNKNOWN`, `OCTO_PIPELINE_DISABLED`; `OCTO_SECRETS_*` when a secret that it needs
   *   cannot be read; `OCTO_INSTANCE_FAILED` with the reason why one of
   *   its plugins did not start; `OCTO_WORKER_FAILED`, `OCTO_WORKER_QUARANTINED` when the process of its plugins ended;
   *   whatever `runPipeline` throws
   */
  run(id: string, place: RunPlace, signal: AbortSignal): Promise<RunReport>;
  /**
   * Takes a changed manifest: builds and starts what is new or changed beside what runs, puts the new generation in place
   * in one step, and closes what was replaced when no run holds it any more. What did not change stays the same object.
   * One manifest at a time; a second call waits.
   * @returns what was kept, started and retired
   * @throws OctoError with all that is wrong with the manifest, an instance that did not start included
   *   (`OCTO_INSTANCE_FAILED`), `OCTO_MANIFEST_REMOVALS`, or `OCTO_SECRETS_*` when something that lives would be held; the
   *   signal's reason. Then everything is as it was before
   */
  apply(manifest: Manifest, signal: AbortSignal): Promise<Plan>;
  /**
   * Starts every instance, each with its `policy.timeoutMs`. One that fails is FAILED with its reason; the others go on.
   * Rejects only with the signal's reason.
   */
  start(signal: AbortSignal): Promise<void>;
}

/**
 * Loads every plugin and checks every configuration and every step: no I/O beyond loading code.
 * @throws OctoError with all that is wrong, as `issues`
 */
export async function createHost(manifest: Manifest, options: HostOptions): Promise<Host> {
  if (options.isolation === 'none') {
    const { InProcessHost } = await import('./in-process-host.ts');
    return await InProcessHost.create(manifest, options);
  }
  const { IsolatedHost } = await import('./isolated-host.ts');
  return await IsolatedHost.create(manifest, options);
}
