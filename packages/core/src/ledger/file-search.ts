import type { Delivery, DeliveryState } from './delivery.ts';
import { Conditions, instantOf } from './postgres/conditions.ts';
import type { Database, Prepared } from './postgres/database.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './postgres/delivery-row.ts';
import { FRESH } from './postgres/discover.ts';
import { addMatch, likePattern } from './postgres/list.ts';
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
    const { values, ...statement } = searchOf(query);
    const rows = await this.#database.run((ask) => ask<DeliveryRow>(statement, values));
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

/**
 * Only what was asked for stands in the statement, so that the database plans for it, and does so once: the same questions
 * come again and again, and planning was most of what they cost.
 */
function searchOf(query: FileQuery): Prepared & { readonly values: readonly unknown[] } {
  const conditions = new Conditions();
  conditions.add('p', query.pipeline, (it) => `d.pipeline = ${it}`);
  conditions.add('n', query.pipelines?.map(likePattern), (it) => `d.pipeline like any(${it})`);
  conditions.add('s', query.states, (it) => `d.state = any(${it})`);
  addMatch(conditions, query.match);
  conditions.add('h', query.sha256, (it) => `(d.plain_sha256 = ${it} or d.raw_sha256 = ${it})`);
  conditions.add('f', query.since, (it) => `d.discovered_at >= ${instantOf(it)}`);
  conditions.add('u', query.until, (it) => `d.discovered_at < ${instantOf(it)}`);
  conditions.add('b', query.before, (it) => `d.discovered < ${it}`);
  const limit = conditions.value(query.limit);
  return {
    name: `octo files ${conditions.names}`,
    text: `select ${deliveryColumns} from octo.delivery d ${conditions.where} order by d.discovered desc limit ${limit}`,
    values: conditions.values,
  };
}
