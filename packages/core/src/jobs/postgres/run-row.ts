import { traceIdOf } from '../../observe/trace-context.ts';
import type { TakenRun } from '../run-queue.ts';
import type { RunProgress, RunRecord, RunRequest, RunState, RunTotals } from '../runs.ts';

/** The columns of a run `r`, as {@link toRecord} reads them. */
export const runColumns = [
  'id, number, pipeline, trigger, requested_by, since, path, priority, key, request_hash, state',
  'attempt, failures, deaths, host, requested_at, started_at, ended_at, not_before, cancelled_by',
  'progress, totals, timings, steps, trace_parent, error_code, error_message, news',
]
  .join(', ')
  .replace(/\w+/g, 'r.$&');

/** As node-postgres gives it: bigint as text, bytea as Buffer. */
export interface RunRow {
  readonly id: string;
  readonly number: string;
  readonly pipeline: string;
  readonly trigger: RunRequest['trigger'];
  readonly requested_by: string;
  readonly since: number | null;
  readonly path: string | null;
  readonly priority: number;
  readonly key: string | null;
  readonly request_hash: Buffer | null;
  readonly state: RunState;
  readonly attempt: number;
  readonly failures: number;
  readonly deaths: number;
  readonly host: string | null;
  readonly requested_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly not_before: Date | null;
  readonly cancelled_by: string | null;
  readonly progress: RunProgress | null;
  readonly totals: RunTotals | null;
  readonly timings: Readonly<Record<string, number>> | null;
  readonly steps: RunRecord['steps'] | null;
  readonly trace_parent: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly news: number;
}

export function toRecord(row: RunRow): RunRecord {
  return {
    ...present('host', row.host),
    ...time('startedAt', row.started_at),
    ...time('endedAt', row.ended_at),
    ...time('notBefore', row.not_before),
    ...present('cancelledBy', row.cancelled_by),
    ...present('progress', row.progress),
    ...present('totals', row.totals),
    ...present('timings', row.timings),
    ...present('steps', row.steps),
    id: row.id,
    trace: traceIdOf(row.id, row.trace_parent ?? undefined),
    request: {
      pipeline: row.pipeline,
      trigger: row.trigger,
      by: row.requested_by,
      priority: row.priority,
      ...(row.since !== null && { since: row.since }),
      ...(row.path !== null && { path: row.path }),
      ...(row.trace_parent !== null && { traceParent: row.trace_parent }),
    },
    state: row.state,
    attempt: row.attempt,
    requestedAt: row.requested_at.getTime(),
    ...(row.error_code !== null && {
      error: { code: row.error_code, message: row.error_message ?? '' },
    }),
  };
}

export function toTaken(row: RunRow): TakenRun {
  return { ...toRecord(row), failures: row.failures, deaths: row.deaths };
}

type Some = { readonly [name in keyof RunRecord]?: RunRecord[name] };

function present(name: keyof RunRecord, value: unknown): Some {
  return value === null ? {} : { [name]: value };
}

function time(name: keyof RunRecord, date: Date | null): Some {
  return present(name, date?.getTime() ?? null);
}
