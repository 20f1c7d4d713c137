import type { Delivery } from '../delivery.ts';
import type { ClaimRequest, KeyAt } from '../ledger.ts';
import type { Query } from './database.ts';
import { violates } from './database-trouble.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './delivery-row.ts';

/** Keys that are looked at in one go, when the first ones are taken. */
const KEYS_AT_A_TIME = 8;

export interface Claimant {
  /** Of this call, one for each delivery at the most: finds the claims again whose answer got lost. */
  readonly ops: readonly string[];
  readonly run: string | undefined;
  readonly owner: string;
  /** The owner's {@link Presence} lock. */
  readonly lock: string;
}

interface Candidate extends DeliveryRow {
  readonly to_replace: string | null;
  readonly key_of_replaced: string | null;
  readonly key_is_free: boolean;
}

/**
 * The next claimable rows, locked: lease over or its owner dead, not waiting on a delivery that still holds the content.
 * A dead owner's lock can be shared; a living one's cannot. With `overwrite` the versions of a path go one after the
 * other, except that an elder which waits for this very row's content lets it pass.
 */
const LIVENESS = `leased as materialized (
    select distinct owner_lock from octo.delivery
    where pipeline = $1 and sink = $2 and open and lease_until > clock_timestamp()),
  dead as materialized (
    select owner_lock from leased where pg_try_advisory_xact_lock_shared(owner_lock))`;

const CANDIDATES = `select ${deliveryColumns}, r.id as to_replace, r.object_key as key_of_replaced,
    not exists (
      select from octo.delivery k where k.sink = d.sink and k.object_key = d.wanted_key) as key_is_free
  from octo.delivery d
  left join lateral (
    select c.id, c.object_key from octo.delivery c
    where $5::boolean and c.pipeline = d.pipeline and c.sink = d.sink and c.path_hash = d.path_hash
      and c.state in ('COMMITTED', 'CLEANED')
    order by c.discovered desc limit 1) r on true
  where d.pipeline = $1 and d.sink = $2 and d.open
    and ($3::text[] is null or d.id = any($3))
    and ($4::text[] is null or d.id <> all($4))
    and ($7::bigint is null or d.size <= $7)
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
  limit $6
  for update of d skip locked`;

const CANDIDATE_LIST = `with ${LIVENESS} ${CANDIDATES}`;

/** From `given`; the parameters from number `first` on are owner, its lock, milliseconds, run. */
const taken = (first: number): string => `moved as (
    update octo.delivery d set state = 'CLAIMED', attempt = d.attempt + 1,
      owner = $${first}, owner_lock = $${first + 1},
      lease_until = clock_timestamp() + $${first + 2} * interval '1 millisecond',
      waiting_on = null, waiting_hash = null, not_before = null, reason = null,
      object_key = coalesce(d.object_key, g.key), replaces = g.replaces
    from given g where d.id = g.id and d.attempt = g.attempt and d.open
    returning d.*, g.op),
  told as (
    insert into octo.event (op, delivery_id, run, attempt, event, detail)
    select op, id, $${first + 3}::text, attempt, 'claimed', 'by ' || owner from moved
    order by discovered)
  select ${deliveryColumns} from moved d order by d.discovered`;

const TAKE = `with given as (
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::uuid[])
      as g(id, attempt, key, replaces, op)),
  ${taken(6)}`;

/**
 * Looks and takes in one, for as long as each gets the key that it wants: who does not, and all behind it, wait for
 * {@link claimNext}.
 */
const TAKE_SIMPLE = `with ${LIVENESS},
  candidates as materialized (${CANDIDATES}),
  numbered as (
    select c.*, row_number() over (order by c.discovered) as n,
      row_number() over (partition by c.wanted_key order by c.discovered) as same_key
    from candidates c),
  simple as (
    select n.*, bool_and(n.object_key is not null or n.key_is_free and n.same_key = 1)
      over (order by n.discovered) as so_far
    from numbered n),
  given as (
    select id, attempt, case when object_key is not null then replaces end as replaces,
      wanted_key as key, ($12::uuid[])[n] as op
    from simple where so_far),
  ${taken(8)}`;

/** A candidate with the key that it gets; none for a replacement. */
interface Keyed {
  readonly candidate: Candidate;
  readonly replaces: string | null;
  readonly key: string | null;
}

/** Claims as many as there are ops, in the order of discovery, with one statement: none where keys must be looked for. */
export async function claimSimple(
  query: Query,
  request: ClaimRequest,
  claimant: Claimant,
): Promise<Delivery[]> {
  if (request.onReissue === 'overwrite' || request.keyAt('a', 0) !== 'a') return [];
  const { ops, owner, lock, run } = claimant;
  const values = [...listing(request, ops.length), owner, lock, request.leaseMs, run, ops];
  const rows = await query<DeliveryRow>({ name: 'octo claim', text: TAKE_SIMPLE }, values);
  return rows.map(toDelivery);
}

/** The same inside a transaction, with a key for each. */
export async function claimNext(
  query: Query,
  request: ClaimRequest,
  claimant: Claimant,
): Promise<Delivery[]> {
  const keyed: Keyed[] = [];
  for (const candidate of await nextCandidates(query, request, claimant.ops.length)) {
    const replaces = candidate.object_key === null ? candidate.to_replace : candidate.replaces;
    const taken = keyed.flatMap(({ key }) => key ?? []);
    const key =
      candidate.object_key ?? (await allocatedKey(query, candidate, replaces, request, taken));
    keyed.push({ candidate, replaces, key });
  }
  if (keyed.length === 0) return [];
  const rows = await query<DeliveryRow>({ name: 'octo take', text: TAKE }, [
    keyed.map(({ candidate }) => candidate.id),
    keyed.map(({ candidate }) => candidate.attempt),
    keyed.map(({ key }) => key),
    keyed.map(({ replaces }) => replaces),
    claimant.ops.slice(0, keyed.length),
    claimant.owner,
    claimant.lock,
    request.leaseMs,
    claimant.run,
  ]);
  const keys = new Map(
    keyed.map((it) => [it.candidate.id, it.key ?? it.candidate.key_of_replaced]),
  );
  return rows.map((row) => toDelivery({ ...row, object_key: keys.get(row.id) ?? null }));
}

async function nextCandidates(
  query: Query,
  request: ClaimRequest,
  most: number,
): Promise<Candidate[]> {
  return await query<Candidate>(CANDIDATE_LIST, listing(request, most));
}

function listing(request: ClaimRequest, most: number): readonly unknown[] {
  const overwrite = request.onReissue === 'overwrite';
  return [
    request.pipeline,
    request.sink,
    request.ids ?? null,
    request.exclude?.length ? request.exclude : null,
    overwrite,
    // The versions of a path go one after the other: whether the next one may go shows when this one is claimed.
    overwrite ? 1 : most,
    request.maxBytes ?? null,
  ];
}

/** A replacement takes its key only when it is committed: until then it is the other's. */
async function allocatedKey(
  query: Query,
  candidate: Candidate,
  replaces: string | null,
  { keyAt }: ClaimRequest,
  taken: readonly string[],
): Promise<string | null> {
  if (replaces !== null) return null;
  const { sink, wanted_key: wanted, key_is_free: isFree } = candidate;
  if (isFree && keyAt(wanted, 0) === wanted && !taken.includes(wanted)) return wanted;
  return await freeKey(query, { sink, wanted, keyAt, taken });
}

/** The first key from index `from` on that no delivery has. Another transaction may be about to take it. */
export async function freeKey(
  query: Query,
  key: {
    readonly sink: string;
    readonly wanted: string;
    readonly keyAt: KeyAt;
    /** By others in this transaction. */
    readonly taken?: readonly string[];
  },
  from = 0,
): Promise<string> {
  for (let first = from; ; first += KEYS_AT_A_TIME) {
    const keys = Array.from({ length: KEYS_AT_A_TIME }, (_, i) => key.keyAt(key.wanted, first + i));
    const [free] = await query<{ key: string }>(
      `select k.key from unnest($2::text[]) with ordinality as k(key, n)
       where not exists (select from octo.delivery d where d.sink = $1 and d.object_key = k.key)
         and k.key <> all($3::text[])
       order by k.n limit 1`,
      [key.sink, keys, key.taken ?? []],
    );
    if (free !== undefined) return free.key;
  }
}

/** The claims that `ops` made before their answer got lost. */
export async function claimsOf(query: Query, ops: readonly string[]): Promise<Delivery[]> {
  const rows = await query<DeliveryRow & { key_of_replaced: string | null }>(
    `select ${deliveryColumns}, r.object_key as key_of_replaced
     from octo.event e join octo.delivery d on d.id = e.delivery_id and d.attempt = e.attempt
     left join octo.delivery r on r.id = d.replaces
     where e.op = any($1::uuid[]) and d.open order by d.discovered`,
    [ops],
  );
  return rows.map((row) =>
    toDelivery({ ...row, object_key: row.object_key ?? row.key_of_replaced }),
  );
}

/** Whether another transaction took the chosen key first. */
export function lostKeyRace(error: unknown): boolean {
  return violates(error, 'delivery_key');
}
