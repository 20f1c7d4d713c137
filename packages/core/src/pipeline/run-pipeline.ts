import type { Clock, Logger, Provider, Sink } from '@octo/plugin-api';
import type { Ledger } from '../ledger/ledger.ts';
import type { PipelineConfig, Policy } from '../manifest/manifest.ts';
import type { RunEvent, RunReport } from './run-report.ts';
import type { Step } from './step.ts';

/** A pipeline with living instances: everything that one run needs. */
export interface Pipeline {
  readonly config: PipelineConfig;
  readonly provider: Provider;
  readonly providerPolicy: Policy;
  readonly sink: Sink;
  readonly sinkPolicy: Policy;
  readonly steps: readonly Step[];
  /** Whether one of the steps proves that a file is complete and unchanged. */
  readonly provesIntegrity: boolean;
}

export interface RunOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A folder for spool files; the run makes and removes its own below it. */
  readonly spoolFolder: string;
  readonly onEvent?: (event: RunEvent) => void;
}

/**
 * One run: connect, list, deliver what is new, clean up at the vendor. Resolves with the report whatever happened to
 * single files.
 * @throws PluginError when the vendor or the sink could not be reached or refused the login; the signal's reason
 */
export async function runPipeline(
  _pipeline: Pipeline,
  _options: RunOptions,
  _signal: AbortSignal,
): Promise<RunReport> {
  throw new Error('not built yet');
}
