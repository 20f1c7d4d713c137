import type { DeliveryState } from '../../ledger/delivery.ts';
import type { Database } from '../../ledger/postgres/database.ts';
import type { RunFile, RunFilter, RunNews, RunPage, RunRecord } from '../runs.ts';
import { runColumns, toRecord, type RunRow } from './run-row.ts';

/** News that are read in one go. */
const NEWS_AT_A_TIME = 500;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export type ReadNews = Omit<RunNews, 'run'>;

/** What is known of runs, read without changing anything. */
export class RunReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(id: string): Promise<RunRecord | undefined> {
    const row = await this.row(id);
    return row === undefined ? undefined : toRecord(row);
  }

  async row(id: string): Promise<RunRow | undefined> {
    if (!UUID.test(id)) return undefined;
    const rows = await this.#database.query<RunRow>(
      `select ${runColumns} from octo.run r where r.id = $1`,
      [id],
    );
    return rows[0];
  }

  async list({ pipeline, states, trigger, cursor, limit }: RunFilter): Promise<RunPage> {
    const rows = await this.#database.query<RunRow>(
      `select ${runColumns} from octo.run r
       where ($1::text is null or r.pipeline = $1) and ($2::text[] is null or r.state = any($2))
         and ($3::text is null or r.trigger = $3) and ($4::bigint is null or r.number < $4)
       order by r.number desc limit $5`,
      [pipeline ?? null, states ?? null, trigger ?? null, beforeOf(cursor), limit + 1],
    );
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      runs: shown.map(toRecord),
      ...(rows.length > limit && last !== undefined && { next: last.number }),
    };
  }

  async files(id: string): Promise<readonly RunFile[]> {
    if (!UUID.test(id)) return [];
    const rows = await this.#database.query<FileRow>(
      `select f.path, f.outcome, f.delivery_id, f.object_key, f.bytes, f.reason, f.times, d.state
       from octo.run_file f join octo.run r on r.id = f.run_id
       left join octo.delivery d on d.id = f.delivery_id and d.pipeline = r.pipeline
       where f.run_id = $1 order by f.number`,
      [id],
    );
    return rows.map(toFile);
  }

  /** Those after `last`, in order; some now, more when asked again. */
  async news(id: string, last: number): Promise<readonly ReadNews[]> {
    const rows = await this.#database.query<NewsRow>(
      `select sequence, event, path, reason from octo.run_news
       where run_id = $1 and sequence > $2 order by sequence limit ${NEWS_AT_A_TIME}`,
      [id, last],
    );
    return rows.map(({ sequence, event, path, reason }) => ({
      sequence,
      event,
      ...(path !== null && { path: path.toString('utf8') }),
      ...(reason !== null && { reason }),
    }));
  }

  async depth(): Promise<
    ReadonlyMap<string, { readonly queued: number; readonly running: number }>
  > {
    const rows = await this.#database.query<{ pipeline: string; queued: number; running: number }>(
      `select pipeline, (count(*) filter (where state = 'QUEUED'))::int as queued,
         (count(*) filter (where state = 'RUNNING'))::int as running
       from octo.run where state in ('QUEUED', 'RUNNING') group by pipeline order by pipeline`,
    );
    return new Map(rows.map(({ pipeline, queued, running }) => [pipeline, { queued, running }]));
  }
}

interface FileRow {
  readonly path: Buffer;
  readonly outcome: RunFile['outcome'];
  readonly delivery_id: string | null;
  readonly object_key: string | null;
  readonly bytes: string | null;
  readonly reason: string | null;
  readonly times: RunFile['times'] | null;
  readonly state: DeliveryState | null;
}

interface NewsRow {
  readonly sequence: number;
  readonly event: string;
  readonly path: Buffer | null;
  readonly reason: string | null;
}

/** A cursor that is none of ours begins at the newest. */
function beforeOf(cursor: string | undefined): string | null {
  return cursor !== undefined && /^[0-9]{1,18}$/.test(cursor) ? cursor : null;
}

function toFile(row: FileRow): RunFile {
  return {
    path: row.path.toString('utf8'),
    outcome: row.outcome,
    ...(row.delivery_id !== null && { delivery: row.delivery_id }),
    ...(row.state !== null && { state: row.state }),
    ...(row.object_key !== null && { key: row.object_key }),
    ...(row.bytes !== null && { bytes: Number(row.bytes) }),
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.times && { times: row.times }),
  };
}
