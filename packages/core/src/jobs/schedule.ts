import { Cron } from 'croner';
import type { PipelineConfig } from '../manifest/manifest.ts';

/** When a pipeline runs: at the times of a cron expression in its time zone, or in a steady period. */
export interface Schedule {
  /** For people: `45 3 * * 2-6 (UTC)`, `every 5 min`. */
  readonly text: string;
  /** Whether the first run comes at once rather than at {@link next}. */
  readonly atOnce: boolean;
  /**
   * The first time after `after`; `undefined` when none will come. Milliseconds since the Unix epoch.
   * `start` is when the schedule began: periods are counted from there.
   */
  next(after: number, start: number): number | undefined;
}

type Scheduled = Pick<PipelineConfig, 'schedule' | 'timezone' | 'everyMs'>;

/** The schedule of a pipeline, or `undefined` when it runs only by hand. The manifest has checked the expression. */
export function scheduleOf(config: Scheduled): Schedule | undefined {
  if (config.everyMs !== undefined) return period(config.everyMs);
  if (config.schedule !== undefined) return cron(config.schedule, config.timezone);
  return undefined;
}

function period(everyMs: number): Schedule {
  return {
    text: `every ${formatPeriod(everyMs)}`,
    atOnce: true,
    next: (after, start) => start + (Math.floor((after - start) / everyMs) + 1) * everyMs,
  };
}

function cron(expression: string, timezone: string): Schedule {
  const times = new Cron(expression, { timezone, paused: true });
  return {
    text: `${expression} (${timezone})`,
    atOnce: false,
    next: (after) => times.nextRun(new Date(after))?.getTime(),
  };
}

function formatPeriod(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const;
  const [name, size] = units.find(([, size]) => ms % size === 0) ?? (['ms', 1] as const);
  return `${ms / size} ${name}`;
}
