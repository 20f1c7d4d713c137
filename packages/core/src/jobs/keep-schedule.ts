import type { Clock, Logger } from '@octo/plugin-api';
import type { Schedule } from './schedule.ts';

export interface ScheduledWork {
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly logger: Logger;
  /** One run. Its errors are logged; the next time tries again. */
  readonly run: () => Promise<void>;
}

/** Sleeps are cut to this length, so that a suspended machine or a corrected clock is noticed. Milliseconds. */
const longestSleepMs = 60_000;

/**
 * Runs the work at its times, never twice at once, until the signal is aborted; then resolves when the run in progress
 * has ended. A time that comes while a run goes on is skipped and logged, not queued.
 */
export async function keepSchedule(work: ScheduledWork, signal: AbortSignal): Promise<void> {
  const { schedule, clock, logger } = work;
  const start = clock.now();
  if (schedule.atOnce && !signal.aborted) await runOnce(work, signal);
  let after = start;
  while (!signal.aborted) {
    const next = skipOverdue(work, after, start);
    if (next === undefined) {
      logger.warn({ schedule: schedule.text }, 'the schedule has no further time');
      return;
    }
    logger.debug({ next: new Date(next).toISOString() }, 'waiting for the next run');
    if (!(await sleepUntil(next, clock, signal))) return;
    await runOnce(work, signal);
    after = next;
  }
}

async function runOnce({ run, logger }: ScheduledWork, signal: AbortSignal): Promise<void> {
  try {
    await run();
  } catch (error) {
    // A run that was told to stop has not failed; one that fails after its pipeline was removed has.
    if (signal.aborted && error === signal.reason) return;
    logger.error({ err: error }, 'the run failed; the next one tries again');
  }
}

/** The next time that still lies ahead; what has passed since `after` is skipped, and said. */
function skipOverdue(
  { schedule, clock, logger }: ScheduledWork,
  after: number,
  start: number,
): number | undefined {
  const now = clock.now();
  const due = schedule.next(after, start);
  if (due === undefined || due > now) return due;
  logger.warn(
    { due: new Date(due).toISOString(), schedule: schedule.text },
    'a run was skipped because the one before took too long',
  );
  return schedule.next(now, start);
}

/** True at the time; false when the signal was aborted before. */
async function sleepUntil(time: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const left = time - clock.now();
    if (left <= 0) return true;
    try {
      await clock.sleep(Math.min(left, longestSleepMs), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return false;
}
