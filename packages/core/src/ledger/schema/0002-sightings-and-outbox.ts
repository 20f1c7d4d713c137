/** Files that are not stable yet, and what must be told to others once it is committed. */
export const sightingsAndOutbox = `
create table octo.sighting (
  id text primary key,
  pipeline text not null,
  sink text not null,
  path_hash bytea not null,
  first_seen timestamptz not null default clock_timestamp()
);
create index sighting_path on octo.sighting (pipeline, sink, path_hash);

-- The discovery number is part of the key: a version that was replaced and came back is news again.
create table octo.outbox (
  delivery_id text not null references octo.delivery on delete cascade,
  kind text not null,
  discovered bigint not null,
  at timestamptz not null default clock_timestamp(),
  primary key (delivery_id, kind, discovered)
);
`;
