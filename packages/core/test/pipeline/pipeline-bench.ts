import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, MemorySink, RecordingLogger } from '@octo/plugin-testing';
import type { Sink } from '@octo/plugin-api';
import type { RunLedger } from '../../src/ledger/ledger.ts';
import { MemoryLedger, MemoryStore } from '../ledger/memory-ledger.ts';
import type { Narrowing } from '../../src/pipeline/narrowing.ts';
import type { PipelineConfig } from '../../src/manifest/manifest.ts';
import { runPipeline, type Pipeline } from '../../src/pipeline/run-pipeline.ts';
import type { RunEvent, RunReport } from '../../src/pipeline/run-report.ts';
import type { Step } from '../../src/pipeline/step.ts';
import { MemoryVendor } from './memory-vendor.ts';

export const defaultConfig: PipelineConfig = {
  id: 'feed',
  enabled: true,
  from: 'vendor',
  to: 'sink',
  steps: [],
  key: 'in/{name}',
  schedule: undefined,
  timezone: 'UTC',
  everyMs: undefined,
  catchUp: 'last',
  runs: { concurrency: 1 },
  duplicates: 'name',
  onReissue: 'version',
  emptyFiles: 'quarantine',
  doubleRead: false,
  settleMs: undefined,
  limits: {
    maxBytes: 1024 ** 3,
    maxRatio: 200,
    maxMembers: 100,
    maxTimeMs: 1e9,
    maxFiles: 100,
    maxMemory: 1024 ** 3,
  },
  concurrency: 2,
};

export interface BenchRun {
  readonly only?: Narrowing;
  readonly ledger?: RunLedger;
  readonly sink?: Sink;
  readonly signal?: AbortSignal;
  readonly pace?: () => Promise<number>;
  readonly onEvent?: (event: RunEvent) => void;
}

/** A pipeline between a vendor, a ledger and a sink in memory, with a clock that moves whenever nothing else does. */
export class PipelineBench implements AsyncDisposable {
  readonly vendor = new MemoryVendor();
  readonly clock = new ManualClock();
  readonly logger = new RecordingLogger();
  readonly ledger: MemoryLedger;
  sink: MemorySink;
  steps: Step[] = [];
  config: PipelineConfig;
  readonly events: RunEvent[] = [];
  readonly #store = new MemoryStore();
  readonly #spool: string;

  private constructor(spool: string, config: Partial<PipelineConfig>, sink: MemorySink) {
    this.#spool = spool;
    this.config = { ...defaultConfig, ...config };
    this.sink = sink;
    this.ledger = this.ledgerOf('this process');
  }

  static async open(
    config: Partial<PipelineConfig> = {},
    sink: MemorySink = new MemorySink({ smallBytes: 8 }),
  ): Promise<PipelineBench> {
    return new PipelineBench(await mkdtemp(join(tmpdir(), 'octo-pipeline-')), config, sink);
  }

  /** The same ledger as another process sees it. */
  ledgerOf(owner: string): MemoryLedger {
    return new MemoryLedger({ clock: this.clock, store: this.#store, owner });
  }

  /** One run, to its end. */
  run(options: BenchRun = {}): Promise<RunReport> {
    return this.drive(this.start(options));
  }

  /** One run whose clock nobody moves yet. */
  start(options: BenchRun = {}): Promise<RunReport> {
    const policy = { timeoutMs: 1e9, attempts: 4 };
    const pipeline: Pipeline = {
      config: this.config,
      provider: this.vendor,
      providerPolicy: policy,
      sink: options.sink ?? this.sink,
      sinkPolicy: policy,
      steps: this.steps,
      ...(options.pace !== undefined && { pace: options.pace }),
    };
    const run = {
      ledger: options.ledger ?? this.ledger,
      clock: this.clock,
      logger: this.logger,
      random: () => 0.5,
      spoolFolder: this.#spool,
      ...(options.only !== undefined && { only: options.only }),
      onEvent: (event: RunEvent) => {
        this.events.push(event);
        options.onEvent?.(event);
      },
    };
    return runPipeline(pipeline, run, options.signal ?? new AbortController().signal);
  }

  /** Resolves when the run has said so; time stands still. */
  async untilEvent(event: RunEvent['event']): Promise<void> {
    for (let turn = 0; turn < 10_000; turn++) {
      if (this.events.some((said) => said.event === event)) return;
      await this.clock.advance(0);
    }
    throw new Error(`the run never said '${event}'`);
  }

  /** Moves the clock a second at a time until the work is done. */
  async drive<T>(work: Promise<T>): Promise<T> {
    const state = { done: false };
    const finished = work.finally(() => (state.done = true));
    finished.catch(() => {});
    for (let turn = 0; !state.done && turn < 1_000_000; turn++) await this.clock.advance(1000);
    return await finished;
  }

  /** What a reader of the sink sees. */
  visible(): Record<string, string> {
    const { memory } = this.sink;
    return Object.fromEntries(
      memory.keys().map((key) => [key, Buffer.from(memory.read(key)!).toString()]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#spool, { recursive: true, force: true });
  }
}
