/**
 * The fenced statements of the delivery protocol, 1.3, each for many deliveries at once. One applies to the row `id` only
 * while it has the attempt `attempt` and an open state, and writes its line of history in the same statement. Answers the
 * rows that were moved.
 */
const GIVEN_TYPES = ['text', 'bigint', 'uuid', 'text', 'text', 'text'];
const GIVEN_NAMES = 'id, attempt, op, run, event, detail';

/** `$1` ids, `$2` attempts, `$3` ops, `$4` runs, `$5` events, `$6` details; what else is given is called a, b, … */
export function given(more: readonly string[]): string {
  const types = [...GIVEN_TYPES, ...more];
  const arrays = types.map((type, index) => `$${index + 1}::${type}[]`).join(', ');
  const names = more.map((_, index) => String.fromCharCode(97 + index));
  return `given as materialized (
    select * from unnest(${arrays}) with ordinality
      as g(${[GIVEN_NAMES, ...names, 'n'].join(', ')}))`;
}

/** From `moved`, which has the columns of `given` that it needs. */
export const HISTORY = `told as (
  insert into octo.event (op, delivery_id, run, attempt, event, detail)
  select op, id, run, attempt, event, detail from moved order by id
  on conflict (op) where op is not null do nothing)`;

export const MOVED = 'returning d.id, d.attempt, g.op, g.run, g.event, g.detail';

function move(set: string, more: readonly string[] = [], condition = ''): string {
  return `with ${given(more)},
  moved as (
    update octo.delivery d set ${set}
    from given g where d.id = g.id and d.attempt = g.attempt and d.open ${condition}
    ${MOVED}),
  ${HISTORY}
  select id, attempt from moved`;
}

const NO_LEASE = 'owner = null, owner_lock = null, lease_until = null';
const NO_HASH = 'held_raw = null, held_scope = null';
const NO_UPLOAD = 'upload_id = null, upload_token = null';
const LET_GO = `${NO_LEASE}, ${NO_HASH}, ${NO_UPLOAD}, object_key = null, replaces = null`;

export const moves = {
  fenced: move(`state = 'CLAIMED', ${NO_UPLOAD}`),
  /** Upload id, token. */
  streaming: move(
    `state = case when d.state = 'VERIFIED' then 'VERIFIED' else 'STREAMING' end,
      upload_id = g.a, upload_token = g.b`,
    ['text', 'text'],
  ),
  /** Holder, hash. */
  wait: move(`state = 'WAITING', waiting_on = g.a, waiting_hash = g.b, ${NO_HASH}, ${NO_LEASE}`, [
    'text',
    'bytea',
  ]),
  /** Holder. */
  duplicate: move(`state = 'DUPLICATE_OF', duplicate_of = g.a, ${LET_GO}`, ['text']),
  /** State, reason. What is quarantined is announced in the same statement. */
  exit: `with ${given(['text', 'text'])},
  moved as (
    update octo.delivery d set state = g.a, reason = g.b, ${LET_GO}
    from given g where d.id = g.id and d.attempt = g.attempt and d.open
    ${MOVED}, d.state, d.discovered),
  ${HISTORY},
  announced as (
    insert into octo.outbox (delivery_id, kind, discovered)
    select id, 'quarantined', discovered from moved where state = 'QUARANTINED' order by id
    on conflict do nothing)
  select id, attempt from moved`,
  /** Reason, milliseconds. */
  park: move(
    `reason = g.a, not_before = clock_timestamp() + g.b * interval '1 millisecond', ${NO_LEASE}`,
    ['text', 'float8'],
  ),
  /** The new key, the one before. */
  nextKey: move(
    `state = 'CLAIMED', object_key = g.a, replaces = null, ${NO_UPLOAD}`,
    ['text', 'text'],
    'and d.object_key is not distinct from g.b',
  ),

  /** Etag, version id, whether the vendor's side is done. What a row replaces gives its key in the same statement. */
  committed: `with ${given(['text', 'text', 'boolean'])},
  mine as materialized (
    select d.id, d.replaces, g.run from octo.delivery d join given g
      on d.id = g.id and d.attempt = g.attempt
    where d.open order by d.id for update of d),
  replaced as (
    update octo.delivery r set state = 'SUPERSEDED', reason = 'REPLACED_BY ' || mine.id,
      object_key = null, ${NO_HASH}
    from mine, octo.delivery before
    where r.id = mine.replaces and before.id = r.id and r.state in ('COMMITTED', 'CLEANED')
    returning r.id, r.attempt, before.object_key, mine.id as by, mine.run),
  replaced_told as (
    insert into octo.event (delivery_id, run, attempt, event, detail)
    select id, run, attempt, 'replaced', 'by ' || by from replaced),
  moved as (
    update octo.delivery d set state = case when g.c then 'CLEANED' else 'COMMITTED' end,
      etag = g.a, version_id = g.b,
      committed_at = clock_timestamp(), ${NO_LEASE}, ${NO_UPLOAD}, reason = null,
      object_key = coalesce(d.object_key, r.object_key)
    from given g join mine on mine.id = g.id left join replaced r on r.by = g.id
    where d.id = g.id and d.attempt = g.attempt
      and (d.object_key is not null or r.id is not null)
    ${MOVED}, d.discovered, g.c as clean),
  lines as (
    select op, id, run, attempt, event, detail, 1 as line from moved
    union all select null, id, run, attempt, 'cleaned', null, 2 from moved where clean),
  told as (
    insert into octo.event (op, delivery_id, run, attempt, event, detail)
    select op, id, run, attempt, event, detail from lines order by id, line
    on conflict (op) where op is not null do nothing),
  announced as (
    insert into octo.outbox (delivery_id, kind, discovered)
    select id, 'committed', discovered from moved order by id on conflict do nothing)
  select id, attempt from moved`,
} as const;
