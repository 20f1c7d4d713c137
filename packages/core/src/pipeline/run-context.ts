import type { Clock, Logger, Provider, Sink } from '@octo/plugin-api';
import type { RunLedger } from '../ledger/ledger.ts';
import type { PipelineConfig, Policy } from '../manifest/manifest.ts';
import type { Narrowing } from './narrowing.ts';
import type { ReportBuilder } from './report-builder.ts';
import type { RunEvent } from './run-report.ts';
import type { Spool } from './spool.ts';
import type { Step } from './step.ts';
import type { Vendor } from './vendor.ts';

/** A pipeline with living instances: everything that one run needs. */
export interface Pipeline {
  readonly config: PipelineConfig;
  readonly provider: Provider;
  readonly providerPolicy: Policy;
  /** Takes the next request to the provider. Milliseconds to wait; absent: nobody waits. */
  readonly pace?: () => Promise<number>;
  readonly sink: Sink;
  readonly sinkPolicy: Policy;
  readonly steps: readonly Step[];
}

export interface RunOptions {
  readonly ledger: RunLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For jitter; 0 ≤ random() < 1. */
  readonly random: () => number;
  /** A folder for spool files; the run makes and removes its own below it. */
  readonly spoolFolder: string;
  readonly onEvent?: (event: RunEvent) => void;
  /** Only these files are looked at and delivered; the others stay for a run that is not narrowed. */
  readonly only?: Narrowing;
}

/** What the parts of a run share. */
export interface RunContext extends Omit<RunOptions, 'onEvent' | 'spoolFolder'> {
  readonly pipeline: Pipeline;
  readonly vendor: Vendor;
  readonly report: ReportBuilder;
  readonly spool: Spool;
  readonly scope: { readonly pipeline: string; readonly sink: string };
}
