import type { Delivery, DeliveryState } from './delivery.ts';
import type { Database } from './postgres/database.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './postgres/delivery-row.ts';
import { FRESH } from './postgres/discover.ts';
import { likePattern } from './postgres/list.ts';
import { storableText } from './storable-text.ts';

export interface FileQuery {
  /** A name, a path, an id or an object key; `*` matches anything. */
  readonly match?: string;
  /** SHA-256 of the plain or of the raw bytes. */
  readonly sha256?: Buffer;
  readonly states?: readonly DeliveryState[];
  readonly pipeline?: string;
  /** Only of pipelines that match one of these; a `*` at the end stands for any rest. */
  readonly pipelines?: readonly string[];
  /** Discovered at or after, and before. Milliseconds since the Unix epoch. */
  readonly since?: number;
  readonly until?: number;
  /** The discovery number of the last file of the page before. */
  readonly before?: bigint;
  readonly limit: number;
}

/** What is asked of the ledger from outside, and what people may set in motion there. */
export class FileSearch {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest discovery first. */
  async search(query: FileQuery): Promise<readonly Delivery[]> {
    const pattern = query.match === undefined ? undefined : likePattern(query.match);
    const rows = await this.#database.query<DeliveryRow>(SEARCH, [
      query.pipeline ?? null,
      query.pipelines?.map(likePattern) ?? null,
      query.states ?? null,
      pattern === undefined ? null : storableText(pattern),
      pattern === undefined ? null : Buffer.from(pattern),
      query.sha256 ?? null,
      query.since ?? null,
      query.until ?? null,
      query.before ?? null,
      query.limit,
    ]);
    return rows.map(toDelivery);
  }

  /**
   * A delivered file becomes DISCOVERED again, under the key that it has: the next run makes it visible there if it is
   * not, and otherwise finds that it is.
   * @returns false when it is not delivered, and nothing was changed
   */
  async redeliver(id: string, by: string): Promise<boolean> {
    const rows = await this.#database.query(
      `with moved as (
         update octo.delivery d set state = 'DISCOVERED', discovered = nextval('octo.discovery'),
           reason = null, ${FRESH}
         where d.id = $1 and d.state in ('COMMITTED', 'CLEANED')
         returning d.id, d.attempt)
       insert into octo.event (delivery_id, attempt, event, detail)
       select id, attempt, 'redeliver', $2 from moved returning delivery_id`,
      [id, storableText(by)],
    );
    return rows.length > 0;
  }
}

const SEARCH = `select ${deliveryColumns} from octo.delivery d
  where ($1::text is null or d.pipeline = $1)
    and ($2::text[] is null or d.pipeline like any($2))
    and ($3::text[] is null or d.state = any($3))
    and ($4::text is null or d.id like $4 or d.object_key like $4 or d.name like $5 or d.path like $5)
    and ($6::bytea is null or d.plain_sha256 = $6 or d.raw_sha256 = $6)
    and ($7::double precision is null or d.discovered_at >= to_timestamp($7::double precision / 1000))
    and ($8::double precision is null or d.discovered_at < to_timestamp($8::double precision / 1000))
    and ($9::bigint is null or d.discovered < $9)
  order by d.discovered desc limit $10`;
