/**
 * What webhooks are told. A row of the outbox becomes a notice for each webhook that wants it; the body is written once, so
 * that every try says the same.
 */
export const notices = `
create table octo.webhook (
  name text primary key,
  -- What was before, it is not told.
  since timestamptz not null default clock_timestamp()
);

create table octo.last_delivery (
  pipeline text primary key,
  at timestamptz not null
);

create table octo.notice (
  id text primary key,
  webhook text not null,
  -- What it is about: the same thing is told to a webhook once.
  subject text not null,
  body text not null,
  made_at timestamptz not null default clock_timestamp(),
  attempts int not null default 0,
  not_before timestamptz not null default clock_timestamp(),
  done_at timestamptz,
  trouble text,
  unique (webhook, subject)
);
create index notice_due on octo.notice (webhook, not_before) where done_at is null;
create index notice_done on octo.notice (done_at) where done_at is not null;
`;
