import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Diagnosis, Logger } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { Delivery } from '../ledger/delivery.ts';
import { describeError } from '../observe/describe-error.ts';
import type { PipelineConfig } from '../manifest/manifest.ts';
import { childLogger } from '../observe/child-logger.ts';
import type { RunOptions } from '../pipeline/run-pipeline.ts';
import type { RunReport } from '../pipeline/run-report.ts';
import { endsWithin } from '../resilience/ends-within.ts';
import { type OpenedInstance, openedInstances, type WorkerBrief } from '../wire/brief.ts';
import { diagnosisStep, type ReportPart, reportPart, runEvent } from '../wire/run-shapes.ts';
import { receivedError } from '../wire/sent-error.ts';
import { text } from '../wire/shape.ts';
import { WireError } from '../wire/wire-value.ts';
import { Deaths } from './deaths.ts';
import { foldersForAWhile, makeFolderDurably } from './durable-folder.ts';
import type { Ground } from './ground.ts';
import { Hands } from './hands.ts';
import { LedgerGate } from './ledger-gate.ts';
import { ProcessRun } from './process-run.ts';
import { Suspects } from './suspects.ts';
import { syncWithin } from './sync-within.ts';
import type { WorkerLimits } from './worker-limits.ts';
import { WorkerProcess } from './worker-process.ts';
import type { WorkerStatus } from './worker-status.ts';

export interface PipelineWorkerOptions {
  /** The pipeline; empty for an instance that no pipeline uses. */
  readonly pipeline: string;
  readonly instances: readonly string[];
  readonly brief: WorkerBrief;
  readonly ground: Ground;
  readonly memoryBytes: number;
  /** How long its instances may take to start, together. Milliseconds. */
  readonly openMs: number;
  /** A folder of its own below it. */
  readonly workersFolder: string;
  readonly limits: WorkerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
  readonly onChange: () => void;
  /** As `HostOptions.pace`. */
  readonly pace?: ((instance: string) => Promise<number>) | undefined;
}

/** A process, and what there is to know about its end. */
interface Launch {
  readonly process: WorkerProcess;
  readonly hands: Hands;
  /** Resolves when it is gone and what it had in hand is given back: whether that may have been the death of it. */
  readonly buried: Promise<boolean>;
}

interface Open extends Launch {
  readonly instances: ReadonlyMap<string, OpenedInstance>;
}

interface RunParts {
  readonly config: PipelineConfig;
  readonly options: RunOptions;
  readonly signal: AbortSignal;
  /** Of the processes that died. */
  readonly before: ReportPart[];
}

/** In one run; the next one goes on. */
const MOST_PROCESSES = 100;

/**
 * The plugins of one pipeline in a process of their own: started when it is first needed, kept warm for a while, started
 * again after a death, and no more once it has died too often.
 */
export class PipelineWorker implements AsyncDisposable {
  readonly #options: PipelineWorkerOptions;
  readonly #deaths: Deaths;
  readonly #suspects: Suspects;
  readonly #runs = new Map<string, ProcessRun>();
  #opening: Promise<Open> | undefined;
  #open: Open | undefined;
  #lastRun = 0;
  #asked = 0;
  #idle: AbortController | undefined;
  #idleSinceMs: number | undefined;
  #dropped: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: PipelineWorkerOptions) {
    this.#options = options;
    this.#deaths = new Deaths(options.limits, options.clock);
    this.#suspects = new Suspects(this.#deaths, options.limits, options.clock);
  }

  get instances(): readonly string[] {
    return this.#options.instances;
  }

  /** Since when it does nothing, on the monotonic clock; `undefined` when it does something or has no process. */
  get idleSinceMs(): number | undefined {
    return this.#idleSinceMs;
  }

  get status(): WorkerStatus {
    const { pipeline, instances } = this.#options;
    const reason = this.#deaths.reason;
    const pid = this.#open?.process.pid;
    return {
      pipeline,
      instances,
      state: this.#state(),
      ...(pid !== undefined && { pid }),
      deaths: this.#deaths.count,
      ...(reason !== undefined && { reason }),
    };
  }

  /** What is known of an instance; starts the process if need be. @throws OctoError `OCTO_WORKER_FAILED`, `_QUARANTINED` */
  async opened(id: string, signal: AbortSignal): Promise<OpenedInstance> {
    const { instances } = await this.#opened(signal);
    return instances.get(id)!;
  }

  /**
   * One run. When its process dies with files in hand, it goes on in another one: see {@link Suspects}.
   * @throws as `Host.run`, but for instances that did not start: look at {@link opened} before
   */
  async run(config: PipelineConfig, options: RunOptions, signal: AbortSignal): Promise<RunReport> {
    const before: ReportPart[] = [];
    for (let left = MOST_PROCESSES; ; left--) {
      const report = await this.#busy(signal, (open) =>
        this.#runIn(open, left > 1, { config, options, signal, before }),
      );
      if (report !== undefined) return report;
    }
  }

  /** `undefined` when its process died of a file, perhaps: then `before` has what was done. */
  async #runIn(
    { process, hands, buried }: Open,
    mayGoOn: boolean,
    { config, options, signal, before }: RunParts,
  ): Promise<RunReport | undefined> {
    const { pipeline, redact, ground } = this.#options;
    // What is in the way of one, its plugin tells in its own words.
    for (const folder of ground.create) await makeFolderDurably(folder).catch(() => {});
    const id = String(++this.#lastRun);
    await using gate = new LedgerGate(options.ledger, { pipeline, redact, hands });
    const run = new ProcessRun({ options, gate, hands, signal });
    this.#runs.set(id, run);
    try {
      const asked = [id, config, options.only ?? {}];
      return run.report(await process.ask('run', asked, signal), before);
    } catch (error) {
      const isSuspicious = process.isSilent && (await buried);
      if (!isSuspicious || !mayGoOn || this.#deaths.areTooMany || signal.aborted) throw error;
      before.push(await run.done());
      return undefined;
    } finally {
      this.#runs.delete(id);
    }
  }

  async health(id: string, signal: AbortSignal): Promise<void> {
    await this.#busy(signal, async ({ process }) => {
      await process.ask('health', [id], signal);
    });
  }

  /** A secret of a store, which is text of at most 64 Ki characters. @throws what the store says; see `SecretStore` */
  async secret(id: string, name: string, signal: AbortSignal): Promise<string> {
    return await this.#busy(signal, async ({ process }) =>
      text(await process.ask('secret', [id, name], signal), 'secret'),
    );
  }

  async *diagnose(id: string, signal: AbortSignal): AsyncGenerator<Diagnosis, void, void> {
    const { process } = await this.#opened(signal);
    await using _folders = await foldersForAWhile(this.#options.ground.create);
    try {
      for (;;) {
        const answer = await this.#busy(signal, () => process.ask('diagnose', [id], signal));
        const step = diagnosisStep(answer, 'diagnose');
        if (step === undefined) return;
        const { error, ...rest } = step;
        yield { ...rest, ...(error !== undefined && { error: receivedError(error) }) };
      }
    } finally {
      await process.ask('diagnose-end', [id]).catch(() => {});
    }
  }

  /** Lets go of a process that does nothing; the next need starts another. */
  async cool(): Promise<void> {
    if (this.#asked > 0 || this.#open === undefined) return;
    await this.#drop(this.#open);
  }

  /** Ends the process for good; a run in it is over, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#idle?.abort();
    const open = this.#open ?? (await this.#opening?.catch(() => undefined));
    if (open !== undefined) await this.#drop(open);
    await this.#dropped;
  }

  #state(): WorkerStatus['state'] {
    if (this.#deaths.areTooMany) return 'quarantined';
    if (this.#open === undefined) {
      if (this.#opening !== undefined) return 'starting';
      return this.#deaths.count > 0 ? 'waiting' : 'cold';
    }
    return this.#asked > 0 ? 'running' : 'warm';
  }

  /** Work in the process, which is not idle meanwhile. */
  async #busy<T>(signal: AbortSignal, work: (open: Open) => Promise<T>): Promise<T> {
    this.#asked += 1;
    this.#idle?.abort();
    this.#idleSinceMs = undefined;
    try {
      const open = await this.#opened(signal);
      this.#options.onChange();
      return await work(open);
    } catch (error) {
      throw this.#named(error);
    } finally {
      this.#asked -= 1;
      if (this.#asked === 0 && this.#open !== undefined) this.#rest(this.#open);
      this.#options.onChange();
    }
  }

  #named(error: unknown): unknown {
    if (!(error instanceof OctoError) || error.code !== 'OCTO_WORKER_FAILED') return error;
    return new OctoError('OCTO_WORKER_FAILED', `the process of ${this.#name()} ${error.message}`);
  }

  #name(): string {
    const { pipeline, instances } = this.#options;
    return pipeline === '' ? `plugin '${instances[0]}'` : `pipeline '${pipeline}'`;
  }

  async #opened(signal: AbortSignal): Promise<Open> {
    if (this.#isClosed) throw new Error('the plugins of this pipeline were closed');
    if (this.#deaths.areTooMany) throw this.#quarantined();
    if (this.#open?.process.hasEnded === false) return this.#open;
    this.#opening ??= this.#start(signal).finally(() => {
      this.#opening = undefined;
      this.#options.onChange();
    });
    this.#options.onChange();
    return await this.#opening;
  }

  #quarantined(): OctoError {
    const { count, reason } = this.#deaths;
    const message = `${this.#name()} is quarantined: its process died ${count} times; the last one ${reason}. Mend or replace its plugin, then touch the manifest or start again`;
    return new OctoError('OCTO_WORKER_QUARANTINED', message);
  }

  async #start(signal: AbortSignal): Promise<Open> {
    const { clock, workersFolder, pipeline, instances, brief, openMs } = this.#options;
    await clock.sleep(this.#deaths.pauseMs, signal);
    const folder = join(workersFolder, pipeline === '' ? `plugin-${instances[0]}` : pipeline);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(brief.spoolFolder, { recursive: true, mode: 0o700 });
    const launch = this.#launch(folder);
    const { process } = launch;
    try {
      await process.ready();
      const late = AbortSignal.any([signal, this.#deadline(process, openMs)]);
      const answer = openedInstances(await process.ask('open', [brief], late), 'open');
      const open = { ...launch, instances: new Map(answer.map((one) => [one.id, one] as const)) };
      if (instances.some((id) => !open.instances.has(id)))
        throw new WireError('it opened other plugins than it was asked to');
      this.#open = open;
      return open;
    } catch (error) {
      if (!process.hasEnded && !(error instanceof OctoError)) process.kill(describeError(error));
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  #launch(folder: string): Launch {
    const { ground, memoryBytes, limits, clock, logger, pipeline, brief } = this.#options;
    const write = [...ground.write, folder, brief.spoolFolder];
    const own = { ...ground, write };
    const name = pipeline === '' ? { instance: this.instances[0] } : { pipeline };
    const process: WorkerProcess = new WorkerProcess({
      ground: own,
      folder,
      memoryBytes,
      limits,
      clock,
      logger: childLogger(logger, name, this.#options.redact),
      loggerOf: (run) => (this.#runs.get(run) ?? this.#onlyRun())?.options.logger ?? logger,
      answers: {
        ledger: async ([run, call, args]) => await this.#running(run).gate.ask(call, args),
        pace: async ([id]) => await this.#paced(id),
        sync: async ([path]) => await syncWithin(text(path, 'sync'), write),
      },
      hears: {
        event: ([run, event]) => this.#running(run).hear(runEvent(event, 'event')),
        report: ([run, part]) => this.#running(run).add(reportPart(part, 'report')),
      },
    });
    const hands = new Hands(this.#suspects);
    const buried = process.ended.then((reason) => this.#bury(process, hands, reason));
    return { process, hands, buried };
  }

  /** What a plugin says does not tell the run; while one goes on alone it is that one's. */
  #onlyRun(): ProcessRun | undefined {
    return this.#runs.size === 1 ? [...this.#runs.values()][0] : undefined;
  }

  /** @throws WireError for an instance of somebody else */
  async #paced(id: unknown): Promise<number> {
    if (typeof id !== 'string' || !this.instances.includes(id))
      throw new WireError('it asks for the pace of a plugin that is not its own');
    return (await this.#options.pace?.(id)) ?? 0;
  }

  #running(run: unknown): ProcessRun {
    const found = typeof run === 'string' ? this.#runs.get(run) : undefined;
    if (found === undefined) throw new WireError('it speaks of a run that does not go on');
    return found;
  }

  /** A process that was not told to end counts. Answers whether what it had in hand may have been the death of it. */
  async #bury(process: WorkerProcess, hands: Hands, reason: string): Promise<boolean> {
    if (this.#open?.process === process) this.#open = undefined;
    const runs = [...this.#runs.values()].filter((run) => run.hands === hands);
    const wasTold = this.#isClosed || process.wasClosed;
    const wasStopped = wasTold || runs.some(({ signal }) => signal.aborted);
    const clean = this.#options.redact(reason);
    // Without a run it had nothing in hand.
    const held = runs.length === 0 ? [] : await this.#left(process, hands);
    if (!wasTold) this.#died(clean, wasStopped ? [] : held);
    await this.#inTime(hands.giveBack(wasStopped ? 'the run was stopped' : undefined));
    return !wasStopped && held.length > 0;
  }

  async #left(process: WorkerProcess, hands: Hands): Promise<readonly Delivery[]> {
    const left = process.silent.then(() => hands.end());
    return (await this.#inTime(left)) ? await left : [];
  }

  /** A ledger that does not answer keeps nobody waiting: then the leases run out. */
  async #inTime(work: Promise<unknown>): Promise<boolean> {
    const { limits, clock } = this.#options;
    return await endsWithin(work, limits.letGoMs, clock);
  }

  #died(reason: string, held: readonly Delivery[]): void {
    const { pipeline, logger } = this.#options;
    this.#suspects.died(reason, held);
    const file = held.length === 1 ? { file: held[0]!.path } : {};
    const fields = { pipeline, reason, deaths: this.#deaths.count, inHand: held.length, ...file };
    logger.error(fields, 'worker died');
    if (this.#deaths.areTooMany) logger.error(fields, 'worker is quarantined: it died too often');
    this.#options.onChange();
  }

  #deadline(process: WorkerProcess, ms: number): AbortSignal {
    const late = new AbortController();
    const reason = new OctoError('OCTO_WORKER_FAILED', `did not open within ${ms} ms`);
    void this.#options.clock.sleep(ms, process.over).then(
      () => late.abort(reason),
      () => {},
    );
    return late.signal;
  }

  #rest(open: Open): void {
    const { clock, limits } = this.#options;
    const idle = new AbortController();
    this.#idle = idle;
    this.#idleSinceMs = clock.monotonic();
    void clock.sleep(limits.idleMs, idle.signal).then(
      () => this.#drop(open),
      () => {},
    );
  }

  async #drop(open: Open): Promise<void> {
    if (this.#open === open) this.#open = undefined;
    this.#idle?.abort();
    this.#idleSinceMs = undefined;
    const gone = open.process[Symbol.asyncDispose]();
    this.#dropped = Promise.all([this.#dropped, gone]);
    await gone;
    this.#options.onChange();
  }
}
