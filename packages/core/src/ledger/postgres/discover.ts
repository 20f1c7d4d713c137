import { deliveryId } from '../delivery-id.ts';
import type { Delivery, Scope, SourceVersion } from '../delivery.ts';
import type { Discovery, DiscoverResult } from '../ledger.ts';
import { isBack, isOpen, refusal, type Refusal } from '../known-version.ts';
import { storableText } from '../storable-text.ts';
import type { Query } from './database.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './delivery-row.ts';

type Listed = SourceVersion & {
  readonly id: string;
  readonly group?: string;
  readonly key?: string;
  readonly reason?: string;
};

const GIVEN = `given as (
  select * from unnest($3::text[], $4::bytea[], $5::bigint[], $6::float8[], $7::bytea[], $8::bytea[],
    $9::text[], $10::text[], $11::text[]) with ordinality
    as g(id, path, size, mtime, name, location, group_name, wanted_key, reason, ord))`;

/** In the order of the listing; rows are then written in the order of their ids, so that two listings cannot deadlock. */
const NUMBERED = `numbered as materialized (
    select given.*, nextval('octo.discovery') as number from given order by ord)`;

const HISTORY = (rows: string, event: string): string => `
  insert into octo.event (delivery_id, run, attempt, event, detail)
  select id, $12::text, attempt, '${event}', reason from ${rows}`;

const ANNOUNCED = (rows: string): string => `
  insert into octo.outbox (delivery_id, kind, discovered)
  select id, 'quarantined', discovered from ${rows} where state = 'QUARANTINED' order by id
  on conflict do nothing`;

/** Only new rows come back. The epoch keeps attempt numbers apart from those of a ledger that was lost. */
const ADD = (state: string, event: string): string => `with ${GIVEN},
  ${NUMBERED},
  added as (
    insert into octo.delivery (id, pipeline, sink, path, size, mtime, name, location, group_name,
      wanted_key, discovered, state, reason, attempt)
    select id, $1, $2, path, size, mtime, name, location, group_name, wanted_key, number, '${state}',
      reason, (select epoch << 20 from octo.ledger)
    from numbered order by id
    on conflict do nothing returning *),
  forgotten as (delete from octo.sighting s using given where s.id = given.id),
  told as (${HISTORY('added', event)}),
  announced as (${ANNOUNCED('added')})
  select ${deliveryColumns} from added d order by d.discovered`;

/** As on its first day, but for the attempt number: nothing that an earlier attempt still says applies to it. */
export const FRESH = `discovered_at = clock_timestamp(), attempt = d.attempt + 1,
  duplicate_of = null, not_before = null, waiting_on = null, waiting_hash = null, replaces = null,
  raw_sha256 = null, plain_sha256 = null, plain_bytes = null, plain_crc64 = null, etag = null,
  version_id = null, verified_at = null, committed_at = null`;

const REOPEN = (state: string, event: string): string => `with ${GIVEN},
  ${NUMBERED},
  again as (
    update octo.delivery d set state = '${state}', discovered = g.number, ${FRESH}, reason = g.reason,
      location = g.location, group_name = g.group_name, wanted_key = g.wanted_key
    from numbered g where d.id = g.id and d.pipeline = $1 and d.sink = $2 
      and (d.state = 'SUPERSEDED' or d.state = 'QUARANTINED' and d.wanted_key = '')
    returning d.*),
  told as (${HISTORY('again', event)}),
  announced as (${ANNOUNCED('again')})
  select ${deliveryColumns} from again d order by d.discovered`;

const RELOCATE = `update octo.delivery d set location = g.location
  from unnest($1::text[], $2::bytea[]) as g(id, location)
  where d.id = g.id and d.open and d.location <> g.location`;

/** Records stable versions. The usual listing, of which everything is known, costs one read. */
export async function discover(
  query: Query,
  scope: Scope,
  versions: readonly Discovery[],
  run: string | undefined,
): Promise<DiscoverResult> {
  const listed = uniqueById(scope, versions);
  const known = await byIds(query, [...listed.keys()]);
  const fresh = [...listed.values()].filter(({ id }) => !known.has(id));
  const returned = [...listed.values()].filter((it) => isBack(known.get(it.id), it));
  const added = await write(query, ADD('DISCOVERED', 'discovered'), scope, fresh, run);
  const reopened = await write(query, REOPEN('DISCOVERED', 'reopened'), scope, returned, run);
  await relocate(query, listed, known);
  const news = new Set([...added, ...reopened].map(({ id }) => id));
  const missed = fresh.filter(({ id }) => !news.has(id)).map(({ id }) => id);
  const others = [...known.values(), ...(await byIds(query, missed)).values()];
  const located = others.map((it) => withLocation(it, listed.get(it.id)!));
  return { added, reopened, known: located.filter(({ id }) => !news.has(id)) };
}

/** Records versions that must not be opened. Answers those that are new. */
export async function refuse(
  query: Query,
  scope: Scope,
  versions: readonly Refusal[],
  run: string | undefined,
): Promise<Delivery[]> {
  const listed = uniqueById(scope, versions.map(refusal));
  const known = await byIds(query, [...listed.keys()]);
  const fresh = [...listed.values()].filter(({ id }) => !known.has(id));
  const returned = [...listed.values()].filter((it) => isBack(known.get(it.id), it));
  return [
    ...(await write(query, ADD('QUARANTINED', 'quarantined'), scope, fresh, run)),
    ...(await write(query, REOPEN('QUARANTINED', 'quarantined'), scope, returned, run)),
  ];
}

function uniqueById<T extends SourceVersion>(
  scope: Scope,
  versions: readonly T[],
): Map<string, T & { readonly id: string }> {
  const unique = new Map<string, T & { readonly id: string }>();
  for (const version of versions) {
    const id = deliveryId(scope, version);
    if (!unique.has(id)) unique.set(id, { ...version, id });
  }
  return unique;
}

async function byIds(query: Query, ids: readonly string[]): Promise<Map<string, Delivery>> {
  if (ids.length === 0) return new Map();
  const rows = await query<DeliveryRow>(
    `select ${deliveryColumns} from octo.delivery d where d.id = any($1::text[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, toDelivery(row)]));
}

async function write(
  query: Query,
  sql: string,
  scope: Scope,
  listed: readonly Listed[],
  run: string | undefined,
): Promise<Delivery[]> {
  if (listed.length === 0) return [];
  const column = <T>(of: (item: Listed) => T): T[] => listed.map(of);
  const rows = await query<DeliveryRow>(sql, [
    scope.pipeline,
    scope.sink,
    column(({ id }) => id),
    column(({ path }) => Buffer.from(path)),
    column(({ size }) => size),
    column(({ mtimeMs }) => mtimeMs),
    column(({ name }) => Buffer.from(name)),
    column(({ location }) => Buffer.from(location)),
    column(({ group }) => (group === undefined ? null : storableText(group))),
    column(({ key }) => storableText(key ?? '')),
    column(({ reason }) => (reason === undefined ? null : storableText(reason))),
    run,
  ]);
  return rows.map(toDelivery);
}

async function relocate(
  query: Query,
  listed: ReadonlyMap<string, SourceVersion>,
  known: ReadonlyMap<string, Delivery>,
): Promise<void> {
  const moved = [...known.values()].filter(
    (it) => isOpen(it) && it.location !== listed.get(it.id)!.location,
  );
  if (moved.length === 0) return;
  const locations = moved.map(({ id }) => Buffer.from(listed.get(id)!.location));
  await query(RELOCATE, [moved.map(({ id }) => id), locations]);
}

function withLocation(delivery: Delivery, { location }: SourceVersion): Delivery {
  return isOpen(delivery) ? { ...delivery, location } : delivery;
}
