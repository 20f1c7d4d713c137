/**
 * Runs: what was asked for, who has it, and what became of it. The queue (pg-boss, schema `octo_queue`) says which comes
 * next; these rows say what is true. A row is moved only by who names its attempt.
 */
export const runs = `
create table octo.run (
  id uuid primary key,
  number bigint not null generated always as identity,
  pipeline text not null,
  trigger text not null check (trigger in ('api', 'command', 'schedule', 'catch-up', 'retry')),
  requested_by text not null,
  since double precision,
  path text,
  priority int not null default 0 check (priority between -100 and 100),
  key text,
  request_hash bytea,
  -- Milliseconds since the Unix epoch. One run for each due time, however many hosts there are.
  due double precision,
  state text not null default 'QUEUED'
    check (state in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'QUARANTINED')),
  attempt int not null default 0,
  failures int not null default 0,
  deaths int not null default 0,
  host text,
  -- Of the call that took it, so that a lost answer finds its run again.
  taken uuid,
  lease_until timestamptz,
  requested_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  not_before timestamptz,
  cancelled_by text,
  progress jsonb,
  totals jsonb,
  timings jsonb,
  error_code text,
  error_message text,
  news int not null default 0,
  check ((state = 'RUNNING') = (lease_until is not null))
);
create unique index run_number on octo.run (number);
create unique index run_key on octo.run (requested_by, key) where key is not null;
create unique index run_due on octo.run (pipeline, due) where due is not null;
create index run_queued on octo.run (pipeline, not_before) where state = 'QUEUED';
create index run_running on octo.run (pipeline) where state = 'RUNNING';
create index run_of_pipeline on octo.run (pipeline, number);
create index run_ended on octo.run (ended_at) where ended_at is not null;

-- Paths are bytes, and in an index by their hash, as those of deliveries.
create table octo.run_file (
  run_id uuid not null references octo.run on delete cascade,
  number bigint not null generated always as identity,
  path bytea not null,
  path_hash bytea not null generated always as (sha256(path)) stored,
  outcome text not null,
  delivery_id text,
  object_key text,
  bytes bigint,
  reason text,
  primary key (run_id, path_hash)
);

create table octo.run_news (
  run_id uuid not null references octo.run on delete cascade,
  sequence int not null,
  at timestamptz not null default clock_timestamp(),
  event text not null,
  path bytea,
  reason text,
  primary key (run_id, sequence)
);

-- How far the times of a schedule have been turned into runs, by whichever host. Milliseconds since the Unix epoch.
create table octo.schedule (
  pipeline text primary key,
  text text not null,
  anchor double precision not null,
  last_due double precision not null
);

create table octo.host (
  id text primary key,
  name text not null,
  seen_at timestamptz not null default clock_timestamp()
);
`;
