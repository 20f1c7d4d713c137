import type { Delivery } from '../delivery.ts';
import type { ClaimRequest, KeyAt } from '../ledger.ts';
import type { Query } from './database.ts';
import { violates } from './database-trouble.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './delivery-row.ts';

/** Keys that are looked at in one go, when the first ones are taken. */
const KEYS_AT_A_TIME = 8;

export interface Claimant {
  /** Of this call: finds the claim again whose answer got lost. */
  readonly op: string;
  readonly run: string | undefined;
  readonly owner: string;
  /** The owner's {@link Presence} lock. */
  readonly lock: string;
}

interface Candidate extends DeliveryRow {
  readonly to_replace: string | null;
  readonly key_of_replaced: string | null;
}

/**
 * The next claimable row, locked: lease over or its owner dead, not waiting on a delivery that still holds the content.
 * A dead owner's lock can be shared; a living one's cannot. With `overwrite` the versions of a path go one after the
 * other, except that an elder which waits for this very row's content lets it pass.
 */
const CANDIDATE = `with leased as materialized (
    select distinct owner_lock from octo.delivery
    where pipeline = $1 and sink = $2 and open and lease_until > clock_timestamp()),
  dead as materialized (
    select owner_lock from leased where pg_try_advisory_xact_lock_shared(owner_lock))
  select ${deliveryColumns}, r.id as to_replace, r.object_key as key_of_replaced
  from octo.delivery d
  left join lateral (
    select c.id, c.object_key from octo.delivery c
    where $5::boolean and c.pipeline = d.pipeline and c.sink = d.sink and c.path_hash = d.path_hash
      and c.state in ('COMMITTED', 'CLEANED')
    order by c.discovered desc limit 1) r on true
  where d.pipeline = $1 and d.sink = $2 and d.open
    and ($3::text[] is null or d.id = any($3))
    and ($4::text[] is null or d.id <> all($4))
    and (d.not_before is null or d.not_before <= clock_timestamp())
    and (d.lease_until is null or d.lease_until <= clock_timestamp()
      or d.owner_lock in (select owner_lock from dead))
    and not exists (
      select from octo.delivery h
      where d.state = 'WAITING' and h.id = d.waiting_on and h.open and h.held_raw = d.waiting_hash)
    and not ($5::boolean and exists (
      select from octo.delivery e
      where e.pipeline = d.pipeline and e.sink = d.sink and e.path_hash = d.path_hash and e.open
        and e.discovered < d.discovered and e.waiting_on is distinct from d.id))
  order by d.discovered
  limit 1
  for update of d skip locked`;

const TAKE = `with moved as (
    update octo.delivery d set state = 'CLAIMED', attempt = d.attempt + 1,
      owner = $3, owner_lock = $4, lease_until = clock_timestamp() + $5 * interval '1 millisecond',
      waiting_on = null, waiting_hash = null, not_before = null, reason = null,
      object_key = coalesce(d.object_key, $6), replaces = $7
    where d.id = $1 and d.attempt = $2 and d.open
    returning d.*),
  told as (
    insert into octo.event (op, delivery_id, run, attempt, event, detail)
    select $8::uuid, id, $9::text, attempt, 'claimed', 'by ' || owner from moved)
  select ${deliveryColumns} from moved d`;

/** Claims inside a transaction. `undefined` when nothing is claimable. */
export async function claimNext(
  query: Query,
  request: ClaimRequest,
  claimant: Claimant,
): Promise<Delivery | undefined> {
  const candidate = await nextCandidate(query, request);
  if (candidate === undefined) return undefined;
  const replaces = candidate.object_key === null ? candidate.to_replace : candidate.replaces;
  const ownKey = candidate.object_key ?? (await allocatedKey(query, candidate, replaces, request));
  const [row] = await query<DeliveryRow>(TAKE, [
    candidate.id,
    candidate.attempt,
    claimant.owner,
    claimant.lock,
    request.leaseMs,
    ownKey,
    replaces,
    claimant.op,
    claimant.run,
  ]);
  const delivery = toDelivery(row!);
  return ownKey === null ? { ...delivery, objectKey: candidate.key_of_replaced! } : delivery;
}

async function nextCandidate(query: Query, request: ClaimRequest): Promise<Candidate | undefined> {
  const [candidate] = await query<Candidate>(CANDIDATE, [
    request.pipeline,
    request.sink,
    request.ids ?? null,
    request.exclude?.length ? request.exclude : null,
    request.onReissue === 'overwrite',
  ]);
  return candidate;
}

/** A replacement takes its key only when it is committed: until then it is the other's. */
async function allocatedKey(
  query: Query,
  candidate: Candidate,
  replaces: string | null,
  { keyAt }: ClaimRequest,
): Promise<string | null> {
  if (replaces !== null) return null;
  return await freeKey(query, { sink: candidate.sink, wanted: candidate.wanted_key, keyAt });
}

/** The first key from index `from` on that no delivery has. Another transaction may be about to take it. */
export async function freeKey(
  query: Query,
  key: { readonly sink: string; readonly wanted: string; readonly keyAt: KeyAt },
  from = 0,
): Promise<string> {
  for (let first = from; ; first += KEYS_AT_A_TIME) {
    const keys = Array.from({ length: KEYS_AT_A_TIME }, (_, i) => key.keyAt(key.wanted, first + i));
    const [free] = await query<{ key: string }>(
      `select k.key from unnest($2::text[]) with ordinality as k(key, n)
       where not exists (select from octo.delivery d where d.sink = $1 and d.object_key = k.key)
       order by k.n limit 1`,
      [key.sink, keys],
    );
    if (free !== undefined) return free.key;
  }
}

/** The claim that `op` made before its answer got lost. */
export async function claimOf(query: Query, op: string): Promise<Delivery | undefined> {
  const [row] = await query<DeliveryRow & { key_of_replaced: string | null }>(
    `select ${deliveryColumns}, r.object_key as key_of_replaced
     from octo.event e join octo.delivery d on d.id = e.delivery_id and d.attempt = e.attempt
     left join octo.delivery r on r.id = d.replaces
     where e.op = $1 and d.open`,
    [op],
  );
  if (row === undefined) return undefined;
  return toDelivery({ ...row, object_key: row.object_key ?? row.key_of_replaced });
}

/** Whether another transaction took the chosen key first. */
export function lostKeyRace(error: unknown): boolean {
  return violates(error, 'delivery_key');
}
