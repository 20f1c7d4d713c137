import { randomUUID } from 'node:crypto';
import type { Clock, Logger } from '@octo/plugin-api';
import { Database, type DatabasePlace, type Query } from '../ledger/postgres/database.ts';
import { migrate } from '../ledger/schema/migrate.ts';
import { endsWithin } from '../resilience/ends-within.ts';
import { Boss } from './postgres/boss.ts';
import { type Called, Calls } from './postgres/calls.ts';
import { dealWith, markSchedule } from './postgres/due-times.ts';
import { LeftRuns } from './postgres/left-runs.ts';
import { begin, insert, settle, tellState } from './postgres/run-moves.ts';
import { RunReader } from './postgres/run-reader.ts';
import { runColumns, toRecord, toTaken, type RunRow } from './postgres/run-row.ts';
import { writeNotes } from './postgres/write-notes.ts';
import {
  type Beat,
  type Call,
  type DueAnswer,
  type DueTimes,
  type Held,
  LEASE_MS,
  type RunEnd,
  type RunNotes,
  type RunQueue,
  type ScheduleBegin,
  type ScheduleMark,
  type TakenRun,
} from './run-queue.ts';
import { keyReused, repeated, requestHash } from './run-request.ts';
import type { RunFile, RunFilter, RunNews, RunPage, RunRecord, RunRequest } from './runs.ts';

export interface PostgresRunsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The name of this host, the same after a restart; without it this process only asks and watches. */
  readonly host?: string | undefined;
  /** A host that says nothing for so long has lost what it held. Milliseconds; the same for all hosts. */
  readonly leaseMs?: number;
}

/** Who follows a run looks at least so often. Milliseconds. */
const LOOK_MS = 1000;
/** A database that does not answer holds up no end. */
const LEAVE_MS = 1000;
const FORGOTTEN_AT_A_TIME = 1000;

/** Runs in PostgreSQL: records in the schema `octo`, their order in `octo_queue`. See {@link RunQueue} for the promises. */
export class PostgresRuns implements RunQueue {
  readonly #database: Database;
  readonly #reader: RunReader;
  readonly #calls: Calls;
  readonly #left: LeftRuns;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #host: string | undefined;
  readonly #leaseMs: number;
  readonly #more = new AsyncDisposableStack();
  #boss: Promise<Boss> | undefined;
  #hasArrived = false;

  private constructor(database: Database, place: DatabasePlace, options: PostgresRunsOptions) {
    this.#database = database;
    this.#reader = new RunReader(database);
    this.#calls = new Calls(place, options.clock, options.logger);
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#host = options.host;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#left = new LeftRuns({ database, boss: () => this.#started(), logger: options.logger });
  }

  /** @throws OctoError OCTO_DATABASE_UNREACHABLE, OCTO_DATABASE_REFUSED, OCTO_LEDGER_NEWER */
  static async open(place: DatabasePlace, options: PostgresRunsOptions): Promise<PostgresRuns> {
    await using opening = new AsyncDisposableStack();
    const database = opening.use(new Database(place, options));
    await database.onClient(migrate);
    opening.move();
    return new PostgresRuns(database, place, options);
  }

  /** Has something disposed after the runs themselves. */
  closing(more: AsyncDisposable): this {
    this.#more.use(more);
    return this;
  }

  async request(request: RunRequest): Promise<RunRecord> {
    const boss = await this.#queue(request.pipeline);
    const id = randomUUID();
    return await this.#database.transaction(async (query) => {
      const fresh = await insert(query, boss, id, request);
      if (fresh !== undefined) return toRecord(fresh);
      const [known] = await query<RunRow>(
        `select ${runColumns} from octo.run r where r.id = $1 or (r.requested_by = $2 and r.key = $3)`,
        [id, request.by, request.key ?? null],
      );
      if (known!.id !== id && !known!.request_hash!.equals(requestHash(request)))
        throw keyReused(request.key!);
      return toRecord(known!);
    });
  }

  find(id: string): Promise<RunRecord | undefined> {
    return this.#reader.find(id);
  }

  list(filter: RunFilter): Promise<RunPage> {
    return this.#reader.list(filter);
  }

  files(id: string): Promise<readonly RunFile[]> {
    return this.#reader.files(id);
  }

  depth(): ReturnType<RunQueue['depth']> {
    return this.#reader.depth();
  }

  async cancel(id: string, by: string): Promise<RunRecord | undefined> {
    const found = await this.#reader.row(id);
    if (found === undefined) return undefined;
    const boss = await this.#queue(found.pipeline);
    return await this.#database.transaction(async (query) => {
      const [row] = await query<RunRow>(
        `update octo.run r set cancelled_by = coalesce(r.cancelled_by, $2), news = r.news + 1,
           state = case r.state when 'QUEUED' then 'CANCELLED' else r.state end,
           not_before = null,
           ended_at = case r.state when 'QUEUED' then clock_timestamp() end
         where r.id = $1 and r.state in ('QUEUED', 'RUNNING') returning ${runColumns}`,
        [id, by],
      );
      if (row === undefined) return await this.#recordOf(query, id);
      if (row.state === 'CANCELLED') await boss.remove(query, row.pipeline, id);
      await tellState(query, row, `cancel ${id}`);
      return toRecord(row);
    });
  }

  async retry(id: string, by: string): Promise<RunRecord | undefined> {
    const run = await this.find(id);
    return run === undefined ? undefined : await this.request(repeated(run.request, by));
  }

  async *follow(
    id: string,
    lastSeen: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<RunNews, void, void> {
    const first = await this.#reader.row(id);
    if (first === undefined) return;
    await this.#calls.heard();
    let seen = lastSeen ?? first.news;
    let called = Promise.withResolvers<void>();
    using _listening = this.#calls.listen(([word, name]) => {
      if (word === 'news' && name === id) called.resolve();
    });
    while (!signal.aborted) {
      // An end that the record knows has its news written already, and news tell a record that is no older.
      const before = await this.find(id);
      const news = await this.#reader.news(id, seen);
      const run = news.length > 0 ? await this.find(id) : before;
      if (before === undefined || run === undefined) return;
      for (const one of news) yield { ...one, run };
      seen = news.at(-1)?.sequence ?? seen;
      if (news.length === 0 && before.endedAt !== undefined) return;
      if (news.length > 0) continue;
      await this.#eitherOr(called.promise, signal);
      called = Promise.withResolvers();
    }
  }

  async arrive(): Promise<void> {
    await this.#sayAlive();
    this.#hasArrived = true;
    await this.#calls.heard();
    await this.#left.ofHost(this.#name());
    await this.#left.unknownToTheQueue();
  }

  async beat(held: readonly Held[]): Promise<Beat> {
    await this.#sayAlive();
    const kept = await this.#database.query<{ id: string; cancelled_by: string | null }>(
      `with held as (
         select r.id, r.attempt from octo.run r
         join unnest($1::uuid[], $2::int[]) as g(id, attempt) on r.id = g.id and r.attempt = g.attempt
         where r.state = 'RUNNING' order by r.id for no key update of r)
       update octo.run r set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
       from held h where r.id = h.id and r.attempt = h.attempt and r.state = 'RUNNING'
       returning r.id, r.cancelled_by`,
      [held.map(({ id }) => id), held.map(({ attempt }) => attempt), this.#leaseMs],
    );
    await this.#left.overdue(this.#leaseMs);
    const ids = new Set(kept.map(({ id }) => id));
    return {
      lost: new Set(held.map(({ id }) => id).filter((id) => !ids.has(id))),
      cancelled: new Map(
        kept.flatMap(({ id, cancelled_by: by }) => (by === null ? [] : [[id, by] as const])),
      ),
      waiting: await this.#waiting(),
    };
  }

  async take(pipeline: string, most: number): Promise<TakenRun | undefined> {
    const boss = await this.#queue(pipeline);
    const taken = randomUUID();
    return await this.#database.transaction(async (query, tries) => {
      const before = tries > 1 ? await this.#takenBefore(query, pipeline, taken) : undefined;
      if (before !== undefined) return toTaken(before);
      // Two hosts that count at the same time would both find room.
      await query('select pg_advisory_xact_lock(hashtextextended($1, 7))', [pipeline]);
      const [running] = await query<{ count: number }>(
        `select count(*)::int as count from octo.run where pipeline = $1 and state = 'RUNNING'`,
        [pipeline],
      );
      if (running!.count >= most) return undefined;
      for (;;) {
        const id = await boss.next(query, pipeline);
        if (id === undefined) return undefined;
        const row = await begin(query, id, { host: this.#name(), taken, leaseMs: this.#leaseMs });
        if (row !== undefined) return toTaken(row);
      }
    });
  }

  async note(notes: ReadonlyMap<Held, RunNotes>): Promise<void> {
    await this.#database.run((query) => writeNotes(query, notes));
  }

  async end(held: Held, end: RunEnd): Promise<RunRecord | undefined> {
    const boss = await this.#started();
    return await this.#database.transaction(async (query, tries) => {
      const [row] = await query<RunRow>(
        `select ${runColumns} from octo.run r where r.id = $1 and r.attempt = $2 for update`,
        [held.id, held.attempt],
      );
      if (row === undefined) return undefined;
      if (row.state === 'RUNNING') return toRecord(await settle(query, boss, row, end));
      // The answer to the first try was lost, but not what it did.
      return tries > 1 ? toRecord(row) : undefined;
    });
  }

  async mark(schedule: ScheduleBegin): Promise<ScheduleMark> {
    return await this.#database.transaction((query) =>
      markSchedule(query, schedule, { host: this.#name(), leaseMs: this.#leaseMs }),
    );
  }

  async due(times: DueTimes): Promise<DueAnswer> {
    const { pipeline } = times;
    const boss = await this.#queue(pipeline);
    return await this.#database.transaction((query) =>
      dealWith(query, times, async (at, trigger) => {
        await insert(query, boss, randomUUID(), { pipeline, trigger, by: 'host' }, at);
      }),
    );
  }

  async forget(olderThanMs: number): Promise<number> {
    for (let forgotten = 0; ;) {
      const rows = await this.#database.query(
        `delete from octo.run where id in (
           select id from octo.run
           where ended_at < clock_timestamp() - $1 * interval '1 millisecond'
           limit ${FORGOTTEN_AT_A_TIME}) returning id`,
        [olderThanMs],
      );
      forgotten += rows.length;
      if (rows.length < FORGOTTEN_AT_A_TIME) return forgotten;
    }
  }

  onCall(listener: (call: Call) => void): Disposable {
    return this.#calls.listen(([word, name]: Called) => {
      if (word === 'work') listener({ work: name });
      if (word === 'cancel') listener({ cancel: name });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#calls[Symbol.asyncDispose]();
    await (await this.#boss?.catch(() => undefined))?.[Symbol.asyncDispose]();
    if (this.#hasArrived) await this.#leave();
    await this.#database[Symbol.asyncDispose]();
    await this.#more.disposeAsync();
  }

  async #waiting(): Promise<readonly string[]> {
    const rows = await this.#database.query<{ pipeline: string }>(
      `select distinct pipeline from octo.run
       where state = 'QUEUED' and (not_before is null or not_before <= clock_timestamp())`,
    );
    return rows.map(({ pipeline }) => pipeline);
  }

  async #takenBefore(query: Query, pipeline: string, taken: string): Promise<RunRow | undefined> {
    const rows = await query<RunRow>(
      `select ${runColumns} from octo.run r
       where r.pipeline = $1 and r.state = 'RUNNING' and r.taken = $2`,
      [pipeline, taken],
    );
    return rows[0];
  }

  async #recordOf(query: Query, id: string): Promise<RunRecord | undefined> {
    const [row] = await query<RunRow>(`select ${runColumns} from octo.run r where r.id = $1`, [id]);
    return row === undefined ? undefined : toRecord(row);
  }

  async #eitherOr(called: Promise<void>, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    await Promise.race([called, this.#clock.sleep(LOOK_MS, either).catch(() => undefined)]);
    over.abort('over');
  }

  async #sayAlive(): Promise<void> {
    await this.#database.query(
      `insert into octo.host (id, name) values ($1, $1)
       on conflict (id) do update set seen_at = clock_timestamp()`,
      [this.#name()],
    );
  }

  /** The others need not wait. Without a database they learn it from the lease. */
  async #leave(): Promise<void> {
    const gone = this.#database.query('delete from octo.host where id = $1', [this.#name()]);
    await endsWithin(gone, LEAVE_MS, this.#clock).catch(() => undefined);
    gone.catch(() => undefined);
  }

  async #queue(pipeline: string): Promise<Boss> {
    const boss = await this.#started();
    await boss.prepare(pipeline);
    return boss;
  }

  #started(): Promise<Boss> {
    this.#boss ??= Boss.start(this.#database, this.#host !== undefined, this.#logger);
    return this.#boss;
  }

  #name(): string {
    if (this.#host === undefined) throw new TypeError('only a host works runs off');
    return this.#host;
  }
}
