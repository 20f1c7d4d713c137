import type { Clock, Logger } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import { childLogger } from '../observe/child-logger.ts';
import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import { endsWithin } from '../resilience/ends-within.ts';
import { LeftAlone } from '../resilience/left-alone.ts';
import { afterFailure, afterReport } from './after-failure.ts';
import { Notebook } from './notebook.ts';
import type { RunEnd, RunQueue, TakenRun } from './run-queue.ts';
import { RunRecorder } from './run-recorder.ts';
import { HostStopping, RunCancelled, RunLost } from './run-signals.ts';
import type { RunRecord } from './runs.ts';

/** A pipeline that this host serves. */
export interface Served {
  /** Runs of it at a time, over all hosts. */
  readonly concurrency: number;
  /** At one run whose failure may pass. Default 4. */
  readonly attempts?: number | undefined;
  readonly logger: Logger;
}

export interface DispatcherOptions {
  readonly queue: RunQueue;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 ≤ random() < 1, for jitter. */
  readonly random: () => number;
  readonly redact: (text: string) => string;
  /** One attempt at a run; its events and its report are safe to show. */
  readonly run: (
    run: TakenRun,
    tell: (event: RunEvent) => void,
    signal: AbortSignal,
  ) => Promise<RunReport>;
  /** Is told of each run that ended for good; one that is tried again has not. */
  readonly onEnd?: (run: RunRecord) => void;
  /** How long runs may go on after the stop. Milliseconds. */
  readonly graceMs: number;
  /** How long ended runs are remembered. Milliseconds. */
  readonly keepMs: number;
}

/** How often a host says that it lives, and looks for what it was not told. */
const BEAT_MS = 1000;
/** How long an aborted run may take to let go before the host leaves without it. */
const LET_GO_MS = 3_000;
const FORGET_EVERY_MS = 3_600_000;

interface Going {
  readonly run: TakenRun;
  readonly stop: AbortController;
}

/** Works the queue off: takes the runs that may begin, watches over them, and writes down what becomes of them. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #notebook: Notebook;
  readonly #going = new Map<string, Going>();
  readonly #work = new Set<Promise<void>>();
  /** Pipelines that are looked at just now; true when they must be looked at once more. */
  readonly #looks = new Map<string, boolean>();
  #served: ReadonlyMap<string, Served> = new Map();
  #isStopping = false;
  #forgottenAt = Number.NEGATIVE_INFINITY;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#notebook = new Notebook(options);
  }

  /** From now on these pipelines. Runs in progress go on. */
  serve(served: ReadonlyMap<string, Served>): void {
    this.#served = served;
    for (const pipeline of served.keys()) this.#look(pipeline);
  }

  /**
   * Works until the stop. Then no new run begins; the running ones have `graceMs` to end, after that their signal is
   * aborted and they go back into the queue. Resolves when all have ended, or when one does not let go.
   */
  async until(stop: AbortSignal): Promise<void> {
    const { queue, graceMs, clock } = this.#options;
    const over = new AbortController();
    using _calls = queue.onCall((call) => {
      if ('work' in call) this.#look(call.work);
      else if (this.#going.has(call.cancel)) void this.#beat();
    });
    const working = [this.#beatUntil(over.signal), this.#notebook.keep(over.signal)];
    await aborted(stop);
    this.#isStopping = true;
    if (!(await endsWithin(this.#ended(), graceMs, clock))) await this.#stopAll();
    over.abort('over');
    await Promise.all(working);
  }

  async #stopAll(): Promise<void> {
    for (const { stop } of this.#going.values()) stop.abort(new HostStopping());
    if (await endsWithin(this.#ended(), LET_GO_MS, this.#options.clock)) return;
    for (const { run } of this.#going.values())
      await this.#end(run, { state: 'QUEUED', afterMs: 0, died: false, timings: {} });
  }

  async #ended(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #beatUntil(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await this.#beat();
      await clock.sleep(BEAT_MS, signal).catch(() => undefined);
    }
  }

  async #beat(): Promise<void> {
    const { queue, logger } = this.#options;
    try {
      const { lost, cancelled, waiting } = await queue.beat(
        [...this.#going.values()].map(({ run }) => run),
      );
      for (const id of lost) this.#going.get(id)?.stop.abort(new RunLost());
      for (const [id, by] of cancelled) this.#going.get(id)?.stop.abort(new RunCancelled(by));
      for (const pipeline of waiting) this.#look(pipeline);
      await this.#forget();
    } catch (error) {
      logger.warn({ err: error }, 'the queue does not answer; trying again');
    }
  }

  async #forget(): Promise<void> {
    const { clock, queue, keepMs } = this.#options;
    const now = clock.monotonic();
    if (now - this.#forgottenAt < FORGET_EVERY_MS) return;
    this.#forgottenAt = now;
    await queue.forget(keepMs);
  }

  /** Takes what may begin. One look at a pipeline at a time; a second wish is one more look. */
  #look(pipeline: string): void {
    if (this.#isStopping || !this.#served.has(pipeline)) return;
    const isLooking = this.#looks.has(pipeline);
    this.#looks.set(pipeline, isLooking);
    if (!isLooking) this.#track(this.#lookUntilDone(pipeline));
  }

  async #lookUntilDone(pipeline: string): Promise<void> {
    try {
      do {
        this.#looks.set(pipeline, false);
        await this.#fill(pipeline);
      } while (this.#looks.get(pipeline) === true);
    } catch (error) {
      this.#options.logger.warn(
        { pipeline, err: error },
        'the queue does not answer; trying again',
      );
    } finally {
      this.#looks.delete(pipeline);
    }
  }

  async #fill(pipeline: string): Promise<void> {
    for (;;) {
      const served = this.#served.get(pipeline);
      if (served === undefined || this.#isStopping) return;
      const mine = [...this.#going.values()].filter(({ run }) => run.request.pipeline === pipeline);
      if (mine.length >= served.concurrency) return;
      const run = await this.#options.queue.take(pipeline, served.concurrency);
      if (run === undefined) return;
      // The stop came while the database was answering.
      if (this.#isStopping) {
        await this.#end(run, { state: 'QUEUED', afterMs: 0, died: false, timings: {} });
        return;
      }
      this.#begin(run, served);
    }
  }

  #begin(run: TakenRun, served: Served): void {
    const stop = new AbortController();
    this.#going.set(run.id, { run, stop });
    this.#track(this.#go(run, served, stop.signal));
  }

  async #go(run: TakenRun, served: Served, signal: AbortSignal): Promise<void> {
    const { clock, random, redact } = this.#options;
    const recorder = new RunRecorder(clock);
    const named = childLogger(served.logger, namesOf(run), redact);
    const chance = { random, redact, attempts: served.attempts };
    this.#notebook.open(run, recorder);
    let end: RunEnd;
    try {
      const report = await this.#options.run(run, (event) => recorder.add(event), signal);
      recorder.finished(report);
      end = afterReport(report, run, recorder.taking(), chance);
      if (end.state !== 'SUCCEEDED') tell(named, filesFailed(end), end);
    } catch (error) {
      const why = signal.aborted ? (signal.reason as unknown) : error;
      end = afterFailure(why, run, recorder.taking(), chance);
      tell(named, why, end);
    }
    await this.#notebook.close(run);
    await this.#end(run, end);
    this.#going.delete(run.id);
    this.#look(run.request.pipeline);
  }

  /** What cannot be written down is taken up by another host when the lease is over. */
  async #end(run: TakenRun, end: RunEnd): Promise<void> {
    const { queue, logger, onEnd } = this.#options;
    const fields = namesOf(run);
    try {
      const ended = await queue.end(run, end);
      if (ended?.endedAt !== undefined) onEnd?.(ended);
      if (ended === undefined)
        logger.warn(fields, 'another host took the run over; what it did here is left');
    } catch (error) {
      logger.error({ ...fields, err: error }, 'the end of a run could not be written down');
    }
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }
}

/** The lines of the files have said why. */
function filesFailed(end: RunEnd): OctoError {
  const message = 'error' in end ? end.error?.message : undefined;
  return new OctoError('OCTO_RUN_FILES_FAILED', message ?? 'files failed');
}

/** What every line about a run names. */
function namesOf({ id, trace, request }: TakenRun) {
  return { pipeline: request.pipeline, run: id, trace };
}

function tell(logger: Logger, error: unknown, end: RunEnd): void {
  // Who has it now says what becomes of it.
  if (error instanceof RunLost) return;
  if (error instanceof RunCancelled) logger.info({ by: error.by }, 'the run was cancelled');
  else if (error instanceof HostStopping) logger.info({}, 'the run goes back into the queue');
  else if (error instanceof LeftAlone) logger.info({ reason: error.message }, 'the run is put off');
  else if (end.state === 'QUEUED')
    logger.warn(
      { err: error, seconds: Math.round(end.afterMs / 1000) },
      'the run failed and is tried again',
    );
  else logger.error({ err: error }, 'the run failed; the next one tries again');
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
