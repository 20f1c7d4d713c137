/**
 * The fenced statements of the delivery protocol, 1.3. Each applies to the row `$1` only while it has the attempt `$2`
 * and an open state, and writes its line of history (`$3` op, `$4` run, `$5` event, `$6` detail) in the same statement.
 * Further parameters begin at `$7`.
 */
const HISTORY = `told as (
  insert into octo.event (op, delivery_id, run, attempt, event, detail)
  select $3::uuid, id, $4::text, attempt, $5::text, $6::text from moved
  on conflict (op) where op is not null do nothing)`;

function move(set: string, more = ''): string {
  return `with moved as (
    update octo.delivery d set ${set}
    where d.id = $1 and d.attempt = $2 and d.open ${more}
    returning d.id, d.attempt), ${HISTORY}
  select id from moved`;
}

const NO_LEASE = 'owner = null, owner_lock = null, lease_until = null';
const NO_HASH = 'held_raw = null, held_scope = null';
const NO_UPLOAD = 'upload_id = null, upload_token = null';
const LET_GO = `${NO_LEASE}, ${NO_HASH}, ${NO_UPLOAD}, object_key = null, replaces = null`;

export const moves = {
  fenced: move(`state = 'CLAIMED', ${NO_UPLOAD}`),
  streaming: move(
    `state = case when d.state = 'VERIFIED' then 'VERIFIED' else 'STREAMING' end, upload_id = $7, upload_token = $8`,
  ),
  wait: move(`state = 'WAITING', waiting_on = $7, waiting_hash = $8, ${NO_HASH}, ${NO_LEASE}`),
  duplicate: move(`state = 'DUPLICATE_OF', duplicate_of = $7, ${LET_GO}`),
  exit: move(`state = $7, reason = $8, ${LET_GO}`),
  park: move(
    `reason = $7, not_before = clock_timestamp() + $8 * interval '1 millisecond', ${NO_LEASE}`,
  ),
  nextKey: move(
    `state = 'CLAIMED', object_key = $7, replaces = null, ${NO_UPLOAD}`,
    'and d.object_key is not distinct from $8',
  ),

  /**
   * `$7` raw, `$8` plain, `$9` bytes, `$10` crc, `$11` scope, `$12` facts, `$13` whether other content that was
   * committed under the same path is a reason to refuse. Answers `fence` false when fenced out.
   */
  verified: `with mine as (
    select * from octo.delivery where id = $1 and attempt = $2 and open),
  reissue as (
    select c.id from octo.delivery c join mine using (pipeline, sink, path_hash)
    where $13::boolean and c.state in ('COMMITTED', 'CLEANED') and c.raw_sha256 <> $7
    order by c.discovered desc limit 1),
  moved as (
    update octo.delivery d set state = 'VERIFIED', held_raw = $7, held_scope = $11, raw_sha256 = $7,
      plain_sha256 = $8, plain_bytes = $9, plain_crc64 = $10, verified_at = clock_timestamp(),
      facts = d.facts || $12::jsonb
    where d.id = $1 and d.attempt = $2 and d.open and not exists (select from reissue)
    returning d.id, d.attempt), ${HISTORY}
  select exists (select from mine) as fence, (select id from reissue) as reissue,
    exists (select from moved) as moved`,

  /** `$7` etag, `$8` version id. What it replaces gives its key in the same statement. */
  committed: `with mine as materialized (
    select id, replaces from octo.delivery where id = $1 and attempt = $2 and open for update),
  replaced as (
    update octo.delivery r set state = 'SUPERSEDED', reason = 'REPLACED_BY ' || mine.id,
      object_key = null, ${NO_HASH}
    from mine, octo.delivery before
    where r.id = mine.replaces and before.id = r.id and r.state in ('COMMITTED', 'CLEANED')
    returning r.id, r.attempt, before.object_key),
  replaced_told as (
    insert into octo.event (delivery_id, run, attempt, event, detail)
    select id, $4::text, attempt, 'replaced', 'by ' || $1 from replaced),
  moved as (
    update octo.delivery d set state = 'COMMITTED', etag = $7, version_id = $8,
      committed_at = clock_timestamp(), ${NO_LEASE}, ${NO_UPLOAD}, reason = null,
      object_key = coalesce(d.object_key, (select object_key from replaced))
    from mine where d.id = mine.id
      and (d.object_key is not null or exists (select from replaced))
    returning d.id, d.attempt, d.discovered), ${HISTORY},
  announced as (
    insert into octo.outbox (delivery_id, kind, discovered)
    select id, 'committed', discovered from moved on conflict do nothing)
  select id from moved`,
} as const;
