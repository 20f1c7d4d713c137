import type { Clock, Logger } from '@octo/plugin-api';
import { Pool, type ClientBase, type ClientConfig, type QueryResultRow } from 'pg';
import { databaseTrouble, explainTrouble, troubleFields } from './database-trouble.ts';

/** How long the ledger tries again before it reports that the database is away, in milliseconds. */
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** Where the ledger's PostgreSQL is, and how to get it back when it is gone. */
export interface DatabasePlace {
  readonly config: ClientConfig;
  /** For messages: host and database, never a password. */
  readonly description: string;
  /** How long to try before the first connection, when nobody is about to start the server. Milliseconds. */
  readonly firstPatienceMs?: number;
  /** Called after a lost connection: starts an embedded server that died. */
  revive(): Promise<void>;
}

type Work<T> = (client: ClientBase, tries: number) => Promise<T>;

/** One that is parsed and planned once in each session. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** Runs one statement, inside a transaction or not. */
export type Query = <R extends QueryResultRow>(
  statement: string | Prepared,
  values?: readonly unknown[],
) => Promise<R[]>;

/**
 * A pool that survives its server: a statement or transaction that failed because of a lost connection, a timeout, a
 * deadlock or a server that starts or stops is run again, for a while. So everything given to it must be idempotent.
 */
export class Database implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #place: DatabasePlace;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #reached = false;

  constructor(place: DatabasePlace, options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#place = place;
    this.#clock = options.clock;
    this.#pool = new Pool({
      ...clientConfig(place.config),
      max: 8,
      idleTimeoutMillis: 30_000,
      // The pool waits for it; its types do not say so.
      // oxlint-disable-next-line typescript/no-misused-promises
      onConnect: prepareSession,
    });
    this.#pool.on('error', (error) => {
      // The pool is closed a moment before its connections are; the server may be faster.
      if (this.#closed.signal.aborted) return;
      options.logger.warn(troubleFields(error), 'idle database connection lost');
    });
  }

  /** One statement. */
  query<R extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.run((query) => query<R>(text, values));
  }

  /** Several statements, all or nothing. `tries` counts from 1. */
  transaction<T>(work: (query: Query, tries: number) => Promise<T>): Promise<T> {
    return this.run(async (query, tries) => {
      await query('begin');
      try {
        const result = await work(query, tries);
        await query('commit');
        return result;
      } catch (error) {
        if (!databaseTrouble(error).broken) await query('rollback');
        throw error;
      }
    });
  }

  /** For what must have the connection itself. */
  onClient<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    return this.#persist((client) => work(client));
  }

  /** Statements on one connection, run again as a whole when the database was in the way. */
  run<T>(work: (query: Query, tries: number) => Promise<T>): Promise<T> {
    return this.#persist((client, tries) => work(queryOf(client), tries));
  }

  async #persist<T>(work: Work<T>): Promise<T> {
    const { firstPatienceMs = PATIENCE_MS } = this.#place;
    const patienceMs = this.#reached ? PATIENCE_MS : firstPatienceMs;
    const deadline = this.#clock.monotonic() + patienceMs;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(work, tries);
      } catch (error) {
        const giveUp = this.#closed.signal.aborted || this.#clock.monotonic() > deadline;
        if (giveUp || !databaseTrouble(error).later)
          throw explainTrouble(error, this.#place.description);
        await this.#recover(error, tries);
      }
    }
  }

  async #once<T>(work: Work<T>, tries: number): Promise<T> {
    const client = await this.#pool.connect();
    this.#reached = true;
    let broken = true;
    try {
      const result = await work(client, tries);
      broken = false;
      return result;
    } catch (error) {
      broken = databaseTrouble(error).broken;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #recover(error: unknown, tries: number): Promise<void> {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
    await this.#clock.sleep(pause * (0.5 + Math.random() / 2), this.#closed.signal);
    if (databaseTrouble(error).broken) await this.#place.revive();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error('the ledger is closed'));
    await this.#pool.end();
  }
}

function queryOf(client: ClientBase): Query {
  return async <R extends QueryResultRow>(
    statement: string | Prepared,
    values: readonly unknown[] = [],
  ) => {
    const prepared = typeof statement === 'string' ? { text: statement } : statement;
    return (await client.query<R>({ ...prepared, values: [...values] })).rows;
  };
}

/** Time limits on everything: a network that swallows packets must not hold a host for ever. */
export function clientConfig(config: ClientConfig): ClientConfig {
  return {
    application_name: 'octo',
    connectionTimeoutMillis: 5_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    ...config,
  };
}

/** The protocol needs durable commits and the isolation level it was written for, whatever the server's defaults. */
async function prepareSession(client: ClientBase): Promise<void> {
  // While it is in use but between two statements nobody listens, and an error without listener ends the process.
  client.on('error', () => undefined);
  await client.query(`
    select set_config('default_transaction_isolation', 'read committed', false),
      set_config('search_path', 'pg_catalog', false),
      case when current_setting('synchronous_commit') = 'off'
        then set_config('synchronous_commit', 'on', false) end`);
}
