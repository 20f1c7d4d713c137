import { storableText } from '../../ledger/storable-text.ts';
import type { Query } from '../../ledger/postgres/database.ts';
import { MOST_DEATHS, type RunEnd } from '../run-queue.ts';
import { requestHash } from '../run-request.ts';
import { addTotals } from '../run-totals.ts';
import type { RunRequest, RunState, RunTotals } from '../runs.ts';
import type { Boss } from './boss.ts';
import { CALL } from './calls.ts';
import { runColumns, type RunRow } from './run-row.ts';

const MILLISECOND = "interval '1 millisecond'";

export interface Taker {
  readonly host: string;
  /** Of this call. */
  readonly taken: string;
  readonly leaseMs: number;
}

/** A new queued run with its place in the queue; `undefined` when its id, its key or its due time is there already. */
export async function insert(
  query: Query,
  boss: Boss,
  id: string,
  request: RunRequest,
  due?: number,
): Promise<RunRow | undefined> {
  const { pipeline, trigger, by, since, path, priority = 0, key, traceParent } = request;
  const [row] = await query<RunRow>(
    `insert into octo.run as r (id, pipeline, trigger, requested_by, since, path, priority, key,
       request_hash, due, trace_parent, news)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1) on conflict do nothing
     returning ${runColumns}`,
    [
      id,
      pipeline,
      trigger,
      by,
      since ?? null,
      path === undefined ? null : storableText(path),
      priority,
      key ?? null,
      key === undefined ? null : requestHash(request),
      due ?? null,
      traceParent ?? null,
    ],
  );
  if (row === undefined) return undefined;
  await enqueue(query, boss, row);
  await tellState(query, row, `work ${pipeline}`);
  return row;
}

/** Takes the queued run `id`; `undefined` when it is not queued any more. */
export async function begin(
  query: Query,
  id: string,
  { host, taken, leaseMs }: Taker,
): Promise<RunRow | undefined> {
  const [row] = await query<RunRow>(
    `update octo.run r set state = 'RUNNING', attempt = r.attempt + 1, host = $2, taken = $3,
       lease_until = clock_timestamp() + $4 * ${MILLISECOND}, not_before = null, progress = null,
       started_at = coalesce(r.started_at, clock_timestamp()), news = r.news + 1
     where r.id = $1 and r.state = 'QUEUED' returning ${runColumns}`,
    [id, host, taken, leaseMs],
  );
  if (row !== undefined) await tellState(query, row);
  return row;
}

/** What an attempt comes to, for a row that is locked and fenced. Puts it into the queue again if need be. */
export async function settle(
  query: Query,
  boss: Boss,
  before: RunRow,
  end: RunEnd,
): Promise<RunRow> {
  const died = end.state === 'QUEUED' && end.died;
  const state = stateAfter(before, end);
  const error = errorAfter(before, end, state);
  const [row] = await query<RunRow>(
    `update octo.run r set state = $2, lease_until = null, taken = null, progress = null,
       deaths = r.deaths + $3, failures = r.failures + $4, error_code = $5, error_message = $6,
       totals = $7, timings = $8, steps = $11, news = r.news + 1,
       cancelled_by = coalesce(r.cancelled_by, $9),
       not_before = case when $2 = 'QUEUED' then clock_timestamp() + $10 * ${MILLISECOND} end,
       ended_at = case when $2 <> 'QUEUED' then clock_timestamp() end
     where r.id = $1 returning ${runColumns}`,
    [
      before.id,
      state,
      died ? 1 : 0,
      isFailure(end) ? 1 : 0,
      error?.code ?? null,
      error === undefined ? null : storableText(error.message),
      JSON.stringify(totalsAfter(before, end) ?? null),
      JSON.stringify(end.timings),
      end.state === 'CANCELLED' ? end.by : null,
      end.state === 'QUEUED' ? end.afterMs : 0,
      end.steps === undefined ? null : JSON.stringify(end.steps),
    ],
  );
  if (state === 'QUEUED') await enqueue(query, boss, row!);
  await tellState(query, row!, `work ${row!.pipeline}`);
  return row!;
}

/** Whether it counts against the attempts that a run has. */
function isFailure(end: RunEnd): boolean {
  if (end.state === 'QUEUED' && (end.died || end.putOff === true)) return false;
  return 'error' in end && end.error !== undefined;
}

function stateAfter(before: RunRow, end: RunEnd): RunState {
  if (end.state !== 'QUEUED') return end.state;
  if (before.cancelled_by !== null) return 'CANCELLED';
  return end.died && before.deaths + 1 >= MOST_DEATHS ? 'QUARANTINED' : 'QUEUED';
}

function totalsAfter({ totals }: RunRow, end: RunEnd): RunTotals | undefined {
  const before = totals ?? undefined;
  return 'totals' in end && end.totals !== undefined ? addTotals(before, end.totals) : before;
}

function errorAfter(
  before: RunRow,
  end: RunEnd,
  state: RunState,
): { readonly code: string; readonly message: string } | undefined {
  const error = 'error' in end ? end.error : undefined;
  if (state !== 'QUARANTINED') return error;
  const why = error?.message ?? `its host ${before.host ?? ''} died`;
  const message = `the run was the death of ${MOST_DEATHS} processes and is not tried again; the last time: ${why}`;
  return { code: 'OCTO_RUN_POISON', message };
}

/** Puts a queued row into the queue. */
export async function enqueue(query: Query, boss: Boss, row: RunRow): Promise<void> {
  await boss.put(query, {
    id: row.id,
    pipeline: row.pipeline,
    priority: row.priority,
    notBefore: row.not_before ?? undefined,
  });
}

/** News that the state is another one; `calls` for other processes besides. */
export async function tellState(query: Query, row: RunRow, ...calls: string[]): Promise<void> {
  await query(
    `insert into octo.run_news (run_id, sequence, event, reason) values ($1, $2, 'state', $3)`,
    [row.id, row.news, row.error_message],
  );
  for (const call of [`news ${row.id}`, ...calls]) await query(CALL, [call]);
}
