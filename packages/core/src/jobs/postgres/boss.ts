import type { Logger } from '@octo/plugin-api';
import type { Db, PgBoss } from 'pg-boss';
import type { Database, Query } from '../../ledger/postgres/database.ts';
import { databaseTrouble, troubleFields } from '../../ledger/postgres/database-trouble.ts';

/** Of the queue's own tables, beside those of the ledger. */
const SCHEMA = 'octo_queue';
/** The queue forgets nothing that waits: ten years. */
const KEPT_SECONDS = 10 * 365 * 86_400;

const NOBODY = '00000000-0000-0000-0000-000000000000';

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
  readonly #queues = new Map<string, Promise<void>>();

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
    const known = this.#queues.get(pipeline);
    if (known !== undefined) return await known;
    const making = this.#make(pipeline);
    this.#queues.set(pipeline, making);
    try {
      await making;
    } catch (error) {
      this.#queues.delete(pipeline);
      throw error;
    }
  }

  async #make(pipeline: string): Promise<void> {
    await this.#boss.createQueue(pipeline, { retentionSeconds: KEPT_SECONDS });
    // What pg-boss has to know of a queue it asks when it first needs it, over another connection. Inside transactions that
    // hold all connections it would wait for ever.
    await this.#boss.findJobs(pipeline, { id: NOBODY });
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

/** Without values a text may hold several statements, a transaction among them; a failed one is not left open. */
async function executed(database: Database, text: string, values?: unknown[]) {
  return await database.onClient(async (client) => {
    try {
      const result = await client.query(text, values?.length ? values : undefined);
      return result as { rows: unknown[] };
    } catch (error) {
      if (!databaseTrouble(error).broken) await client.query('rollback');
      throw error;
    }
  });
}
