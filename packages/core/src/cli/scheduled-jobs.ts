import type { Logger } from '@octo/plugin-api';
import { scheduleOf } from '../jobs/schedule.ts';
import type { Job } from '../jobs/timetable.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { childLogger } from '../observe/child-logger.ts';

export interface ScheduledJobs {
  /** By pipeline. */
  readonly jobs: ReadonlyMap<string, Job>;
  /** Enabled pipelines without a schedule: they run only by hand. */
  readonly unscheduled: readonly string[];
}

/** The enabled pipelines of a manifest as jobs. */
export function scheduledJobs(
  { pipelines }: Manifest,
  logger: Logger,
  redact: (text: string) => string,
  run: (id: string, logger: Logger, signal: AbortSignal) => Promise<void>,
): ScheduledJobs {
  const jobs = new Map<string, Job>();
  const unscheduled: string[] = [];
  for (const [id, config] of pipelines) {
    if (!config.enabled) continue;
    const schedule = scheduleOf(config);
    const own = childLogger(logger, { pipeline: id }, redact);
    if (schedule === undefined) unscheduled.push(id);
    else jobs.set(id, { schedule, logger: own, run: (signal) => run(id, own, signal) });
  }
  return { jobs, unscheduled };
}
