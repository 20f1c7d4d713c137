/**
 * What all hosts know of the vendors and sinks together: which are left alone, and when each may be asked next. A row that
 * is not there says that nothing is known.
 */
export const policy = `
create table octo.breaker (
  instance text primary key,
  -- As core/src/resilience/breaker.ts says; its times are milliseconds of this server's clock.
  state jsonb not null,
  -- Rises with each move: who read another one has to look again.
  version bigint not null default 1,
  moved_at timestamptz not null default clock_timestamp()
);

-- A bucket of requests for each instance: those that may come now, or when below zero those that wait already.
create table octo.pace (
  instance text primary key,
  tokens double precision not null,
  at timestamptz not null
);
`;
