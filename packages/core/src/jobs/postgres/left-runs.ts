import type { Logger } from '@octo/plugin-api';
import type { Database } from '../../ledger/postgres/database.ts';
import type { Boss } from './boss.ts';
import { enqueue, settle } from './run-moves.ts';
import { runColumns, type RunRow } from './run-row.ts';

const ROWS_AT_A_TIME = 100;

export interface LeftRunsOptions {
  readonly database: Database;
  readonly boss: () => Promise<Boss>;
  readonly logger: Logger;
}

/** Runs that nobody looks after any more: of hosts that died, and of a queue that lost its tables. */
export class LeftRuns {
  readonly #options: LeftRunsOptions;

  constructor(options: LeftRunsOptions) {
    this.#options = options;
  }

  /** What this host held before it began anew. */
  async ofHost(host: string): Promise<void> {
    await this.#giveBack('r.host = $1', [host]);
  }

  /** Whose lease is over. After a restart of the server everybody gets the time to say that he lives. */
  async overdue(leaseMs: number): Promise<void> {
    await this.#giveBack(
      `r.lease_until < clock_timestamp()
         and pg_postmaster_start_time() < clock_timestamp() - $1 * interval '1 millisecond'`,
      [leaseMs],
    );
  }

  /** Queued runs that the queue does not know: somebody lost its tables, or restored them from another day. */
  async unknownToTheQueue(): Promise<void> {
    const { database } = this.#options;
    const boss = await this.#options.boss();
    const rows = await database.query<RunRow>(
      `select ${runColumns} from octo.run r where r.state = 'QUEUED'
         and not exists (select from octo_queue.job j where j.name = r.pipeline and j.id = r.id)`,
    );
    for (const pipeline of new Set(rows.map((row) => row.pipeline))) await boss.prepare(pipeline);
    await database.run(async (query) => {
      for (const row of rows) await enqueue(query, boss, row);
    });
  }

  /** Gives back what is RUNNING under the condition, as by a host that died. */
  async #giveBack(condition: string, values: readonly unknown[]): Promise<void> {
    const { database, logger } = this.#options;
    const some = `select ${runColumns} from octo.run r where r.state = 'RUNNING' and ${condition} limit ${ROWS_AT_A_TIME}`;
    for (;;) {
      const found = await database.query<RunRow>(some, values);
      if (found.length === 0) return;
      const boss = await this.#options.boss();
      await database.transaction(async (query) => {
        for (const row of await query<RunRow>(`${some} for update skip locked`, values)) {
          logger.warn(
            { pipeline: row.pipeline, run: row.id, host: row.host },
            'a run was left by a host that died, and is taken up',
          );
          await settle(query, boss, row, { state: 'QUEUED', afterMs: 0, died: true, timings: {} });
        }
      });
      if (found.length < ROWS_AT_A_TIME) return;
    }
  }
}
