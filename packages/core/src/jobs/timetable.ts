import type { Clock, Logger } from '@octo/plugin-api';
import { endsWithin } from '../resilience/ends-within.ts';
import { keepSchedule } from './keep-schedule.ts';
import type { Schedule } from './schedule.ts';

/** A pipeline and when it runs. */
export interface Job {
  readonly schedule: Schedule;
  readonly logger: Logger;
  /** One run. Its errors are logged; the next time tries again. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export interface TimetableOptions {
  readonly clock: Clock;
  /** How long running jobs may go on after the stop. Milliseconds. */
  readonly graceMs: number;
}

/** How long an aborted run may take to let go before the host leaves without it. */
const letGoMs = 10_000;

interface Entry {
  readonly schedule: Schedule;
  readonly stop: AbortController;
}

/** Runs jobs at their times, and lets them be exchanged meanwhile. A job never runs twice at once, whatever is exchanged. */
export class Timetable {
  readonly #options: TimetableOptions;
  readonly #entries = new Map<string, Entry>();
  /** Also of jobs that are no longer there, until their last run has ended. */
  readonly #loops = new Map<string, Promise<void>>();
  readonly #runs = new AbortController();
  readonly #broken = Promise.withResolvers<never>();
  #isStopping = false;

  constructor(options: TimetableOptions) {
    this.#options = options;
    this.#broken.promise.catch(() => {});
  }

  /**
   * From now on these jobs, by id. One whose schedule is the same goes on undisturbed with the `run` that it had; another
   * schedule begins anew; what is missing runs no more. A run in progress is left alone.
   */
  follow(jobs: ReadonlyMap<string, Job>): void {
    if (this.#isStopping) return;
    for (const [id, { schedule, stop }] of this.#entries) {
      if (jobs.get(id)?.schedule.text === schedule.text) continue;
      stop.abort();
      this.#entries.delete(id);
    }
    for (const [id, job] of jobs) if (!this.#entries.has(id)) this.#begin(id, job);
  }

  /**
   * Waits for the stop. Then no new run begins; the running ones have `graceMs` to end, after that their signal is
   * aborted. Resolves when all have ended, or when one does not let go.
   */
  async until(stop: AbortSignal): Promise<void> {
    const { graceMs, clock } = this.#options;
    await Promise.race([aborted(stop), this.#broken.promise]);
    this.#isStopping = true;
    for (const entry of this.#entries.values()) entry.stop.abort(stop.reason);
    const ended = Promise.all(this.#loops.values());
    if (await endsWithin(ended, graceMs, clock)) return;
    this.#runs.abort(stop.reason);
    await endsWithin(ended, letGoMs, clock);
  }

  #begin(id: string, { schedule, logger, run }: Job): void {
    const stop = new AbortController();
    this.#entries.set(id, { schedule, stop });
    logger.info({ schedule: schedule.text }, 'pipeline scheduled');
    const work = {
      schedule,
      logger,
      clock: this.#options.clock,
      run: () => run(this.#runs.signal),
    };
    const before = this.#loops.get(id) ?? Promise.resolve();
    const loop = before.then(() => keepSchedule(work, stop.signal));
    this.#loops.set(id, loop);
    void this.#forget(id, loop);
  }

  async #forget(id: string, loop: Promise<void>): Promise<void> {
    try {
      await loop;
      if (this.#loops.get(id) === loop) this.#loops.delete(id);
    } catch (error) {
      this.#broken.reject(error);
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
