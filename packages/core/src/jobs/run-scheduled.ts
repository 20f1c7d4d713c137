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

export interface SchedulerOptions {
  readonly clock: Clock;
  /** How long running jobs may go on after `stop`. Milliseconds. */
  readonly graceMs: number;
}

/** How long an aborted run may take to let go before the host leaves without it. */
const letGoMs = 10_000;

/**
 * Runs every job at its times until `stop` is aborted. Then no new run begins; the running ones have `graceMs` to end,
 * after that their signal is aborted. Resolves when all have ended, or when one does not let go.
 */
export async function runScheduled(
  jobs: readonly Job[],
  { clock, graceMs }: SchedulerOptions,
  stop: AbortSignal,
): Promise<void> {
  const runs = new AbortController();
  const loops = jobs.map(({ schedule, logger, run }) =>
    keepSchedule({ schedule, logger, clock, run: () => run(runs.signal) }, stop),
  );
  const ended = Promise.all(loops);
  await Promise.race([ended, aborted(stop)]);
  if (!(await endsWithin(ended, graceMs, clock))) {
    runs.abort(stop.reason);
    await endsWithin(ended, letGoMs, clock);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
