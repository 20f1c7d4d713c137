import type { Clock, Logger, SyncToDisk } from '@octo/plugin-api';
import type { Manifest } from '../manifest/manifest.ts';
import type { Plan } from '../manifest/plan.ts';
import { Redactor } from '../observe/redactor.ts';
import type { Pipeline } from '../pipeline/run-pipeline.ts';
import type { StepKind } from '../pipeline/step.ts';
import { buildGeneration, NO_HERITAGE } from './build-generation.ts';
import type { Instance } from './instance.ts';
import type { LoadPlugin } from './load-plugin.ts';
import type { Lease } from './pipeline-lease.ts';
import { RunningHost } from './running-host.ts';

export interface HostOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Absolute; below it each instance that asks for one gets a folder of its own. */
  readonly stateFolder: string;
  /** The steps that pipelines may use. */
  readonly stepKinds: readonly StepKind[];
  /** Is told every secret of the manifest. Give the one that your logger uses. */
  readonly redactor?: Redactor;
  /** What `SYNC_TO_DISK` is. Default: `fsync`, by this process. */
  readonly syncToDisk?: SyncToDisk;
  /** Default: Node's resolution from the manifest's folder. */
  readonly loadPlugin?: LoadPlugin;
  /** How long one instance may take to close. Default 10,000. */
  readonly disposeDeadlineMs?: number;
  /**
   * How long a run may go on with plugins that a reload has replaced. Default: its pipeline's `limits.maxTimeMs`, so that
   * every file in flight may end.
   */
  readonly retireDeadlineMs?: number;
}

/** The instances of one manifest, and the pipelines between them. A changed manifest takes its place while runs go on. */
export interface Host extends AsyncDisposable {
  /** The one that is served now. */
  readonly manifest: Manifest;
  /** Of the manifest that is served now: by id, in its order; without the disabled ones. */
  readonly instances: ReadonlyMap<string, Instance>;
  /** Takes the manifest's secrets out of a text that is to be shown. */
  readonly redact: (text: string) => string;
  /**
   * The living pipeline, for `runPipeline`.
   * @throws OctoError `OCTO_PIPELINE_UNKNOWN`, `OCTO_PIPELINE_DISABLED`, or `OCTO_INSTANCE_FAILED` with the reason why
   *   one of its instances did not start
   */
  pipeline(id: string): Pipeline;
  /**
   * The same for one run, which ends with the plugins that it began with, whatever is applied meanwhile. Dispose it when
   * the run has ended; pass its signal on to the run.
   * @throws OctoError as {@link pipeline}
   */
  lease(id: string): Lease;
  /**
   * Takes a changed manifest: builds and starts what is new or changed beside what runs, puts the new generation in place
   * in one step, and closes what was replaced when no run holds it any more. What did not change stays the same object.
   * One manifest at a time; a second call waits.
   * @returns what was kept, started and retired
   * @throws OctoError with all that is wrong with the manifest, an instance that did not start included
   *   (`OCTO_INSTANCE_FAILED`), or `OCTO_MANIFEST_REMOVALS`; the signal's reason. Then everything is as it was before
   */
  apply(manifest: Manifest, signal: AbortSignal): Promise<Plan>;
  /**
   * Starts every instance, one after the other, each with its `policy.timeoutMs`. One that fails is FAILED with its
   * reason; the others go on. Rejects only with the signal's reason.
   */
  start(signal: AbortSignal): Promise<void>;
}

/**
 * Loads every plugin, checks every configuration and every step, and builds the instances: no I/O beyond loading code.
 * @throws OctoError with all that is wrong, as `issues`
 */
export async function createHost(manifest: Manifest, options: HostOptions): Promise<Host> {
  const complete = { ...options, redactor: options.redactor ?? new Redactor() };
  return new RunningHost(await buildGeneration(manifest, NO_HERITAGE, complete), complete);
}
