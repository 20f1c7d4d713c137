/**
 * Who may use the API, and what the ledger is asked for there. A key's text is nowhere: only its keyed hash. Public keys
 * are sealed, so that writing to this table alone makes nobody's tokens good.
 */
export const api = `
create table octo.api_key (
  id text primary key,
  name text not null,
  hash bytea not null,
  scopes text[] not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

create table octo.token_key (
  kid text primary key,
  jwk text not null,
  seal bytea not null,
  at timestamptz not null default clock_timestamp()
);

create index delivery_plain on octo.delivery (plain_sha256) where plain_sha256 is not null;
create index delivery_raw on octo.delivery (raw_sha256) where raw_sha256 is not null;
`;
