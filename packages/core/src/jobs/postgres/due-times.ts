import type { Query } from '../../ledger/postgres/database.ts';
import {
  type DueAnswer,
  type DueTimes,
  type ScheduleBegin,
  type ScheduleMark,
} from '../run-queue.ts';

interface ScheduleRow {
  readonly text: string;
  readonly anchor: number;
  readonly last_due: number;
}

export interface Asker {
  readonly host: string;
  readonly leaseMs: number;
}

/** Inside a transaction. */
export async function markSchedule(
  query: Query,
  begin: ScheduleBegin,
  asker: Asker,
): Promise<ScheduleMark> {
  const { pipeline, text, now, atOnce } = begin;
  // What begins with a run has its first time at its beginning.
  const last = atOnce ? now - 1 : now;
  await query(
    'insert into octo.schedule (pipeline, text, anchor, last_due) values ($1, $2, $3, $4) on conflict do nothing',
    [pipeline, text, now, last],
  );
  const row = await lockSchedule(query, pipeline);
  const isAnother = row!.text !== text;
  if (!isAnother && !(await beginsAnew(query, begin, asker)))
    return { anchor: row!.anchor, last: row!.last_due };
  await query(
    'update octo.schedule set text = $2, anchor = $3, last_due = $4 where pipeline = $1',
    [pipeline, text, now, last],
  );
  return { anchor: now, last };
}

async function beginsAnew(
  query: Query,
  begin: ScheduleBegin,
  { host, leaseMs }: Asker,
): Promise<boolean> {
  if (!begin.restart || !begin.atOnce) return false;
  const [others] = await query<{ live: boolean }>(
    `select exists (select from octo.host where id <> $1
       and seen_at > clock_timestamp() - $2 * interval '1 millisecond') as live`,
    [host, leaseMs],
  );
  return !others!.live;
}

/**
 * Inside a transaction: which of the times are still to be dealt with, by this host alone, and that they are dealt with
 * now. `insert` makes a run of one.
 */
export async function dealWith(
  query: Query,
  { pipeline, text, times, choose }: DueTimes,
  insert: (at: number, trigger: 'schedule' | 'catch-up') => Promise<void>,
): Promise<DueAnswer> {
  const row = await lockSchedule(query, pipeline);
  const newest = times.at(-1);
  // Another text: a host with another manifest keeps this schedule now.
  if (row === undefined || row.text !== text || newest === undefined) return 'known';
  const open = times.filter((at) => at > row.last_due);
  if (open.length === 0) return 'known';
  await query('update octo.schedule set last_due = $2 where pipeline = $1', [pipeline, newest]);
  const chosen = choose(open);
  if (chosen.length === 0) return 'none';
  if (await isBusy(query, pipeline)) return 'skipped';
  for (const { at, trigger } of chosen) await insert(at, trigger);
  return 'requested';
}

async function isBusy(query: Query, pipeline: string): Promise<boolean> {
  const [row] = await query<{ busy: boolean }>(
    `select exists (select from octo.run where pipeline = $1 and state in ('QUEUED', 'RUNNING')
       and trigger in ('schedule', 'catch-up')) as busy`,
    [pipeline],
  );
  return row!.busy;
}

async function lockSchedule(query: Query, pipeline: string): Promise<ScheduleRow | undefined> {
  const rows = await query<ScheduleRow>(
    'select text, anchor, last_due from octo.schedule where pipeline = $1 for update',
    [pipeline],
  );
  return rows[0];
}
