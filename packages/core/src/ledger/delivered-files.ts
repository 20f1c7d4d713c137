import type { Delivery } from './delivery.ts';
import { Conditions, instantOf } from './postgres/conditions.ts';
import type { Database, Prepared } from './postgres/database.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './postgres/delivery-row.ts';
import { addMatch } from './postgres/list.ts';

export interface DeliveredQuery {
  /** A name, a path, an id or an object key; `*` matches anything. */
  readonly match?: string;
  readonly pipeline?: string;
  /** A place as resolved. */
  readonly sink?: string;
  /** Discovered at or after. Milliseconds since the Unix epoch. */
  readonly since?: number;
  /** At most so many files, the newest. Default: all. */
  readonly limit?: number;
}

/** Rows in one answer: some megabytes at most. */
const PAGE = 500;

/**
 * Every row of the ledger that says that an object is there, to be held against what is: the delivered ones, and those that
 * kept a key although they were not delivered, which no statement of the protocol leaves behind.
 */
export class DeliveredFiles {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest discovery first, in pages: whoever takes them holds no more than one. */
  async *pages(query: DeliveredQuery): AsyncGenerator<readonly Delivery[], void, void> {
    let left = query.limit ?? Infinity;
    let last: Delivery | undefined;
    while (left > 0) {
      const most = Math.min(PAGE, left);
      const page = await this.#ask(pageOf(query, last, most));
      if (page.length > 0) yield page;
      if (page.length < most) return;
      left -= page.length;
      last = page.at(-1);
    }
  }

  /** The row as it is now; `undefined` when there is none that says that an object is there. */
  async now(id: string): Promise<Delivery | undefined> {
    const conditions = new Conditions();
    conditions.add('i', id, (it) => `d.id = ${it}`);
    const [found] = await this.#ask(statementOf(conditions, 1));
    return found;
  }

  async #ask({ values, ...statement }: Statement): Promise<readonly Delivery[]> {
    const rows = await this.#database.run((ask) => ask<DeliveryRow>(statement, values));
    return rows.map(toDelivery);
  }
}

type Statement = Prepared & { readonly values: readonly unknown[] };

/** Numbers of discovery are unique as long as nobody writes into the table: the id makes them so in any case. */
function pageOf(query: DeliveredQuery, last: Delivery | undefined, most: number): Statement {
  const conditions = new Conditions();
  conditions.add('p', query.pipeline, (it) => `d.pipeline = ${it}`);
  conditions.add('k', query.sink, (it) => `d.sink = ${it}`);
  addMatch(conditions, query.match);
  conditions.add('f', query.since, (it) => `d.discovered_at >= ${instantOf(it)}`);
  conditions.add('b', last?.discovered, (it) => {
    const id = conditions.value(last!.id);
    return `(d.discovered, d.id) < (${it}, ${id})`;
  });
  return statementOf(conditions, most);
}

const SAYS_IT_IS_THERE = `(d.state in ('COMMITTED', 'CLEANED') or (d.object_key is not null and not d.open))`;

function statementOf(conditions: Conditions, most: number): Statement {
  const where = conditions.where === '' ? 'where' : `${conditions.where} and`;
  const limit = conditions.value(most);
  return {
    name: `octo delivered ${conditions.names}`,
    text: `select ${deliveryColumns} from octo.delivery d ${where} ${SAYS_IT_IS_THERE}
      order by d.discovered desc, d.id desc limit ${limit}`,
    values: conditions.values,
  };
}
