import type { RatePolicy } from '../manifest/manifest.ts';
import type { Database } from '../ledger/postgres/database.ts';
import type { Paces } from './paces.ts';

/**
 * A bucket of requests in PostgreSQL that fills by its server's clock. It holds `burst` of them and may go below zero: then
 * somebody waits. It counts requests and not time, so another rate fits what was taken at the old one.
 */
export class PostgresPaces implements Paces {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async take(instance: string, { requests, perMs, burst }: RatePolicy): Promise<number> {
    const [row] = await this.#database.query<{ wait: number }>(
      `insert into octo.pace as p (instance, tokens, at)
       values ($1, $3::float8 - 1, statement_timestamp())
       on conflict (instance) do update set
         tokens = -1 + least($3::float8, p.tokens + $2::float8 *
           greatest(0, extract(epoch from statement_timestamp() - p.at)::float8 * 1000)),
         at = greatest(p.at, statement_timestamp())
       returning greatest(0, -tokens) / $2::float8 as wait`,
      [instance, requests / perMs, burst],
    );
    return row!.wait;
  }
}
