import type { Logger } from '@octo/plugin-api';
import type { Db, PgBoss } from 'pg-boss';
import type { Database, Query } from '../../ledger/postgres/database.ts';
import { troubleFields } from '../../ledger/postgres/database-trouble.ts';

/** Of the queue's own tables, beside those of the ledger. */
const SCHEMA = 'octo_queue';
/** The queue forgets nothing that waits: ten years. */
const KEPT_SECONDS = 10 * 365 * 86_400;

interface Waiting {
  readonly id: string;
  readonly pipeline: string;
  readonly priority: number;
  readonly notBefore: Date | undefined;
}

/**
 * The order in which queued runs begin: pg-boss, a queue for each pipeline, a job for each queued run under the run's own
 * id. A job is put in and taken out in the transaction that moves the run, so neither is there without the other, and no
 * job is ever active. Each call takes the transaction's `query`.
 */
export class Boss implements AsyncDisposable {
  readonly #boss: PgBoss;
  readonly #queues = new Set<string>();

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  /** @param isHost whether this process keeps the queue's tables tidy */
  static async start(database: Database, isHost: boolean, logger: Logger): Promise<Boss> {
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => await executed(database, text, values) },
      schema: SCHEMA,
      schedule: false,
      supervise: isHost,
      useListenNotify: false,
    });
    boss.on('error', (error) => logger.warn(troubleFields(error), 'the queue has trouble'));
    await boss.start();
    return new Boss(boss);
  }

  /** Makes sure that there is a queue for the pipeline. Outside of transactions. */
  async prepare(pipeline: string): Promise<void> {
    if (this.#queues.has(pipeline)) return;
    await this.#boss.createQueue(pipeline, { retentionSeconds: KEPT_SECONDS });
    this.#queues.add(pipeline);
  }

  /** Puts a run in; nothing happens when it is in already. */
  async put(query: Query, { id, pipeline, priority, notBefore }: Waiting): Promise<void> {
    await this.#boss.send(pipeline, null, {
      db: dbOf(query),
      id,
      priority,
      ...(notBefore !== undefined && { startAfter: notBefore }),
    });
  }

  /** Takes the next one out. @returns its id */
  async next(query: Query, pipeline: string): Promise<string | undefined> {
    const db = dbOf(query);
    const [job] = await this.#boss.fetch(pipeline, { db });
    if (job === undefined) return undefined;
    await this.#boss.deleteJob(pipeline, { id: job.id, retryCount: job.retryCount }, { db });
    return job.id;
  }

  /** Takes one out before its turn. */
  async remove(query: Query, pipeline: string, id: string): Promise<void> {
    await this.#boss.deleteJob(pipeline, id, { db: dbOf(query) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: false });
  }
}

function dbOf(query: Query): Db {
  return { executeSql: async (text, values = []) => ({ rows: await query(text, values) }) };
}

/** Without values a text may hold several statements. */
async function executed(database: Database, text: string, values?: unknown[]) {
  return await database.onClient(async (client) => {
    const result = await client.query(text, values?.length ? values : undefined);
    return result as { rows: unknown[] };
  });
}
