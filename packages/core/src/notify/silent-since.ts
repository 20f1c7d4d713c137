import { Cron } from 'croner';
import type { PipelineConfig } from '../manifest/manifest.ts';

type Expected = Pick<PipelineConfig, 'schedule' | 'timezone' | 'everyMs' | 'lateAfterMs'>;

/**
 * Since when a pipeline should have delivered something and has not; `undefined` while it is in time. With cron that is the
 * last due time that lies `lateAfterMs` back, else the last delivery. All in milliseconds since the Unix epoch.
 * @param lastMs when it delivered last, or when anybody began to look
 */
export function silentSince(pipeline: Expected, lastMs: number, nowMs: number): number | undefined {
  const { schedule, timezone, everyMs, lateAfterMs } = pipeline;
  if (lateAfterMs === undefined) return undefined;
  if (schedule === undefined)
    return everyMs !== undefined && nowMs - lastMs >= lateAfterMs ? lastMs : undefined;
  // The search is exclusive.
  const reference = new Date(nowMs - lateAfterMs + 1);
  const due = new Cron(schedule, { timezone, paused: true }).previousRuns(1, reference)[0];
  return due !== undefined && lastMs < due.getTime() ? due.getTime() : undefined;
}
