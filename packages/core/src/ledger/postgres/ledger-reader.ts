import { attemptCount, type Delivery, type DeliveryEvent, type Scope } from '../delivery.ts';
import type { ListFilter } from '../ledger.ts';
import { storableText } from '../storable-text.ts';
import type { Database } from './database.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './delivery-row.ts';
import { likePattern, listStatement } from './list.ts';

interface EventRow {
  readonly at: Date;
  readonly run: string | null;
  readonly attempt: string;
  readonly event: string;
  readonly detail: string | null;
}

/** What the ledger answers without changing anything. */
export class LedgerReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async uncleaned(scope: Scope, limit: number): Promise<Delivery[]> {
    return await this.#deliveries(
      `d.pipeline = $1 and d.sink = $2 and d.state = 'COMMITTED'
       order by d.committed_at, d.discovered limit $3`,
      [scope.pipeline, scope.sink, limit],
    );
  }

  async countOpen(scope: Scope): Promise<number> {
    const [row] = await this.#database.query<{ count: string }>(
      'select count(*) from octo.delivery where pipeline = $1 and sink = $2 and open',
      [scope.pipeline, scope.sink],
    );
    return Number(row!.count);
  }

  async find(id: string): Promise<Delivery | undefined> {
    return (await this.#deliveries('d.id = $1', [id]))[0];
  }

  async group(scope: Scope, group: string): Promise<Delivery[]> {
    return await this.#deliveries(
      `d.pipeline = $1 and d.sink = $2 and d.group_name = $3
       and d.state in ('COMMITTED', 'CLEANED') order by d.discovered`,
      [scope.pipeline, scope.sink, storableText(group)],
    );
  }

  async liveUploads(sink: string): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query<{ upload_id: string }>(
      'select upload_id from octo.delivery where sink = $1 and open and upload_id is not null',
      [sink],
    );
    return new Set(rows.map((row) => row.upload_id));
  }

  async list(filter: ListFilter): Promise<Delivery[]> {
    const pattern = filter.match === undefined ? undefined : likePattern(filter.match);
    const rows = await this.#database.query<DeliveryRow>(listStatement(filter.states), [
      filter.pipeline ?? null,
      filter.states ?? null,
      pattern === undefined ? null : storableText(pattern),
      pattern === undefined ? null : Buffer.from(pattern),
      filter.limit,
    ]);
    return rows.map(toDelivery);
  }

  async history(id: string): Promise<DeliveryEvent[]> {
    const rows = await this.#database.query<EventRow>(
      'select at, run, attempt, event, detail from octo.event where delivery_id = $1 order by seq',
      [id],
    );
    return rows.map((row) => ({
      at: row.at,
      run: row.run ?? undefined,
      attempt: attemptCount(BigInt(row.attempt)),
      event: row.event,
      detail: row.detail ?? undefined,
    }));
  }

  async #deliveries(where: string, values: readonly unknown[]): Promise<Delivery[]> {
    const rows = await this.#database.query<DeliveryRow>(
      `select ${deliveryColumns} from octo.delivery d where ${where}`,
      values,
    );
    return rows.map(toDelivery);
  }
}
