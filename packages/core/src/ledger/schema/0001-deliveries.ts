/**
 * Deliveries with their history and outbox. Bytes that a vendor spells (path, name, location) are `bytea`: they may hold
 * what text cannot. The unique indexes are the races that the protocol lets the database decide: key and content.
 */
export const deliveries = `
create sequence octo.discovery;

-- Attempt numbers begin at epoch * 2^20, so that a ledger that is made anew never repeats those of a lost one.
create table octo.ledger (
  only_row boolean primary key default true check (only_row),
  epoch bigint not null default extract(epoch from clock_timestamp())::bigint
);
insert into octo.ledger default values;

create table octo.delivery (
  id text primary key,
  pipeline text not null,
  sink text not null,
  path bytea not null,
  path_hash bytea not null generated always as (sha256(path)) stored,
  size bigint not null,
  mtime double precision not null,
  name bytea not null,
  location bytea not null,
  group_name text,
  wanted_key text not null,
  discovered bigint not null default nextval('octo.discovery'),
  discovered_at timestamptz not null default clock_timestamp(),
  state text not null check (state in ('DISCOVERED', 'CLAIMED', 'STREAMING', 'VERIFIED', 'WAITING',
    'COMMITTED', 'CLEANED', 'DUPLICATE_OF', 'QUARANTINED', 'SUPERSEDED')),
  open boolean not null generated always as
    (state in ('DISCOVERED', 'CLAIMED', 'STREAMING', 'VERIFIED', 'WAITING')) stored,
  reason text,
  duplicate_of text references octo.delivery,
  attempt bigint not null,
  owner text,
  owner_lock bigint,
  lease_until timestamptz,
  not_before timestamptz,
  waiting_on text,
  waiting_hash bytea,
  object_key text,
  replaces text,
  upload_id text,
  upload_token text,
  held_raw bytea,
  held_scope text,
  raw_sha256 bytea,
  plain_sha256 bytea,
  plain_bytes bigint,
  plain_crc64 bytea,
  etag text,
  version_id text,
  verified_at timestamptz,
  committed_at timestamptz,
  facts jsonb not null default '{}',
  check ((held_raw is null) = (held_scope is null))
);
-- The path is in the index by its hash: an index row has a size limit, a vendor's path has none.
create unique index delivery_version on octo.delivery (pipeline, sink, path_hash, size, mtime);
create unique index delivery_key on octo.delivery (sink, object_key) where object_key is not null;
create unique index delivery_content on octo.delivery (pipeline, sink, held_scope, held_raw)
  where held_raw is not null;
create index delivery_open on octo.delivery (pipeline, sink, discovered) where open;
create index delivery_leased on octo.delivery (pipeline, sink, owner_lock)
  where open and lease_until is not null;
create index delivery_newest on octo.delivery (discovered);
create index delivery_uncleaned on octo.delivery (pipeline, sink, committed_at) where state = 'COMMITTED';
create index delivery_group on octo.delivery (pipeline, sink, group_name) where group_name is not null;

create table octo.event (
  seq bigint generated always as identity primary key,
  -- One for each call, so that a statement repeated after a lost answer tells its story once.
  op uuid,
  delivery_id text not null references octo.delivery on delete cascade,
  at timestamptz not null default clock_timestamp(),
  run text,
  attempt bigint not null,
  event text not null,
  detail text
);
create index event_delivery on octo.event (delivery_id, seq);
create unique index event_op on octo.event (op) where op is not null;
`;
