import type { Database, Query } from '../ledger/postgres/database.ts';
import { type Breaker, CLOSED } from '../resilience/breaker.ts';
import type { Breakers, Moved } from './breakers.ts';

/** What nobody has moved for so long belongs to an instance that is gone or renamed. */
const FORGOTTEN = "interval '30 days'";

interface Row {
  readonly state: Breaker | null;
  readonly version: string | null;
  readonly now: number;
}

/**
 * Breakers in PostgreSQL. A move reads the row with the server's time, and writes it in one statement that applies only to
 * the version that was read; whoever was too late reads again.
 */
export class PostgresBreakers implements Breakers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async read(instances: readonly string[]): Promise<ReadonlyMap<string, Breaker>> {
    return await this.#some('where instance = any($1::text[])', [instances]);
  }

  async all(): Promise<ReadonlyMap<string, Breaker>> {
    return await this.#some('', []);
  }

  async move<T>(
    instance: string,
    step: (before: Breaker, now: number) => { readonly next: Breaker; readonly answer: T },
  ): Promise<Moved<T>> {
    return await this.#database.run(async (query) => {
      for (;;) {
        const { state, version, now } = await seen(query, instance);
        const before = state ?? CLOSED;
        const { next, answer } = step(before, now);
        if (next === before || (await isWritten(query, instance, version, next)))
          return { answer, before, after: next, now };
      }
    });
  }

  async #some(where: string, values: readonly unknown[]): Promise<ReadonlyMap<string, Breaker>> {
    const rows = await this.#database.query<{ instance: string; state: Breaker }>(
      `select instance, state from octo.breaker ${where}`,
      values,
    );
    return new Map(rows.map(({ instance, state }) => [instance, state]));
  }
}

async function seen(query: Query, instance: string): Promise<Row> {
  const [row] = await query<Row>(
    `select b.state, b.version, t.now from
       (select extract(epoch from clock_timestamp())::float8 * 1000 as now) t
       left join octo.breaker b on b.instance = $1`,
    [instance],
  );
  return row!;
}

async function isWritten(
  query: Query,
  instance: string,
  version: string | null,
  next: Breaker,
): Promise<boolean> {
  const state = JSON.stringify(next);
  const written =
    version === null
      ? await query(
          `with forgotten as (delete from octo.breaker
             where instance <> $1 and moved_at < clock_timestamp() - ${FORGOTTEN})
           insert into octo.breaker (instance, state) values ($1, $2) on conflict do nothing
           returning 1`,
          [instance, state],
        )
      : await query(
          `update octo.breaker set state = $2, version = version + 1, moved_at = clock_timestamp()
           where instance = $1 and version = $3 returning 1`,
          [instance, state, version],
        );
  return written.length > 0;
}
