import type { Clock, Logger } from '@octo/plugin-api';
import type { Manifest } from '../manifest/manifest.ts';
import type { Redactor } from '../observe/redactor.ts';
import type { Pipeline } from '../pipeline/run-pipeline.ts';
import type { StepKind } from '../pipeline/step.ts';
import type { Instance } from './instance.ts';
import type { LoadPlugin } from './load-plugin.ts';

export interface HostOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Absolute; below it each instance that asks for one gets a folder of its own. */
  readonly stateFolder: string;
  /** The steps that pipelines may use. */
  readonly stepKinds: readonly StepKind[];
  /** Is told every secret of the manifest. Give the one that your logger uses. */
  readonly redactor?: Redactor;
  /** Default: Node's resolution from the manifest's folder. */
  readonly loadPlugin?: LoadPlugin;
  /** How long one instance may take to close. Default 10,000. */
  readonly disposeDeadlineMs?: number;
}

/** The instances of one manifest, and the pipelines between them. */
export interface Host extends AsyncDisposable {
  readonly manifest: Manifest;
  /** By id, in the manifest's order; without the disabled ones. */
  readonly instances: ReadonlyMap<string, Instance>;
  /** Takes the manifest's secrets out of a text that is to be shown. */
  readonly redact: (text: string) => string;
  /**
   * The living pipeline, for `runPipeline`.
   * @throws OctoError `OCTO_PIPELINE_UNKNOWN`, `OCTO_PIPELINE_DISABLED`, or why one of its instances did not start
   */
  pipeline(id: string): Pipeline;
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
export async function createHost(_manifest: Manifest, _options: HostOptions): Promise<Host> {
  throw new Error('not built yet');
}
