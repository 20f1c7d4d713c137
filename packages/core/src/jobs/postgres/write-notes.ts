import { storableText } from '../../ledger/storable-text.ts';
import type { Query } from '../../ledger/postgres/database.ts';
import type { Held, RunNotes } from '../run-queue.ts';
import { CHANNEL } from './calls.ts';

/**
 * Runs are locked in the order of their ids, as in the other statement that moves many: else two of them could wait for
 * each other. What `n` counts are the runs that were given, since one may be given with two attempts.
 */
const WRITE = `
  with given as (
    select * from unnest($1::uuid[], $2::int[], $3::jsonb[], $4::int[])
      with ordinality as g(id, attempt, progress, news, n)),
  held as (
    select g.n from given g join octo.run r on r.id = g.id and r.attempt = g.attempt
    where r.state = 'RUNNING' order by r.id for no key update of r),
  mine as (
    update octo.run r set progress = coalesce(g.progress, r.progress), news = r.news + g.news
    from held join given g on g.n = held.n
    where r.id = g.id and r.attempt = g.attempt and r.state = 'RUNNING'
    returning g.n, r.id, r.news - g.news as before),
  told as (
    insert into octo.run_news (run_id, sequence, event, path, reason)
    select mine.id, mine.before + g.sequence, g.event, g.path, g.reason
    from mine join unnest($5::int[], $6::int[], $7::text[], $8::bytea[], $9::text[])
      as g(n, sequence, event, path, reason) on g.n = mine.n),
  kept as (
    insert into octo.run_file (run_id, path, outcome, delivery_id, object_key, bytes, reason, times)
    select mine.id, g.path, g.outcome, g.delivery, g.key, g.bytes, g.reason, g.times
    from mine join unnest($10::int[], $11::bytea[], $12::text[], $13::text[], $14::text[], $15::bigint[],
      $16::text[], $17::jsonb[]) with ordinality
      as g(n, path, outcome, delivery, key, bytes, reason, times, place) on g.n = mine.n
    order by g.place
    on conflict (run_id, path_hash) do update set outcome = excluded.outcome,
      delivery_id = coalesce(excluded.delivery_id, run_file.delivery_id),
      object_key = excluded.object_key, bytes = excluded.bytes, reason = excluded.reason, times = excluded.times)
  select pg_notify('${CHANNEL}', 'news ' || id) from mine`;

/** One statement for the notes of all these runs; nothing of those that are fenced out. */
export async function writeNotes(query: Query, notes: ReadonlyMap<Held, RunNotes>): Promise<void> {
  const runs = [...notes].map(([held, { progress, news }]) => ({ held, progress, news }));
  const news = inRuns([...notes.values()].map((one) => one.news));
  const files = inRuns([...notes.values()].map((one) => lastOfEachPath(one.files)));
  await query(WRITE, [
    runs.map(({ held }) => held.id),
    runs.map(({ held }) => held.attempt),
    runs.map(({ progress }) => jsonOf(progress)),
    runs.map((run) => run.news.length),
    news.map(({ n }) => n),
    news.map(({ sequence }) => sequence),
    news.map(({ one }) => one.event),
    news.map(({ one }) => bytesOf(one.path)),
    news.map(({ one }) => textOf(one.reason)),
    files.map(({ n }) => n),
    files.map(({ one }) => bytesOf(one.path)),
    files.map(({ one }) => one.outcome),
    files.map(({ one }) => textOf(one.delivery)),
    files.map(({ one }) => textOf(one.key)),
    files.map(({ one }) => one.bytes ?? null),
    files.map(({ one }) => textOf(one.reason)),
    files.map(({ one }) => jsonOf(one.times)),
  ]);
}

/** All of them in one row, each with its run and its place there, from 1. */
function inRuns<T>(lists: readonly (readonly T[])[]) {
  return lists.flatMap((list, run) =>
    list.map((one, place) => ({ n: run + 1, sequence: place + 1, one })),
  );
}

function lastOfEachPath(files: RunNotes['files']): RunNotes['files'] {
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

function jsonOf(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function bytesOf(text: string | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}

function textOf(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text);
}
