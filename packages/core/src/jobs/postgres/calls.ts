import type { Clock, Logger } from '@octo/plugin-api';
import { Client } from 'pg';
import { clientConfig, type DatabasePlace } from '../../ledger/postgres/database.ts';
import { troubleFields } from '../../ledger/postgres/database-trouble.ts';

/** Of PostgreSQL's notifications. */
export const CHANNEL = 'octo_run';
const RECONNECT_PAUSE_MS = 500;

/** What is called from one process to the others: `work <pipeline>`, `cancel <run>`, `news <run>`. */
export type Called = readonly [word: 'work' | 'cancel' | 'news', name: string];

/** Says it with the transaction's commit. `$1` word and name. */
export const CALL = `select pg_notify('${CHANNEL}', $1)`;

/**
 * Hears what other processes call, over a connection of its own. Calls that come while the connection is down are lost:
 * whoever listens also looks from time to time.
 */
export class Calls implements AsyncDisposable {
  readonly #place: DatabasePlace;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<(called: Called) => void>();
  #client: Client | undefined;
  #connecting: Promise<void> | undefined;

  constructor(place: DatabasePlace, clock: Clock, logger: Logger) {
    this.#place = place;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Resolves when calls are heard from now on. */
  async heard(): Promise<void> {
    await (this.#connecting ??= this.#connect());
  }

  listen(listener: (called: Called) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async #connect(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        await this.#open();
        return;
      } catch (error) {
        this.#logger.debug(troubleFields(error), 'cannot listen to the other hosts yet');
        await this.#clock.sleep(RECONNECT_PAUSE_MS, signal).catch(() => undefined);
      }
    }
  }

  async #open(): Promise<void> {
    const client = new Client({
      ...clientConfig(this.#place.config),
      application_name: 'octo calls',
    });
    client.on('error', () => undefined);
    client.on('notification', ({ payload = '' }) => this.#tell(payload));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    client.once('end', () => {
      this.#client = undefined;
      if (!this.#closed.signal.aborted) this.#connecting = this.#connect();
    });
  }

  #tell(payload: string): void {
    const [word = '', name = ''] = payload.split(' ');
    for (const listener of this.#listeners) listener([word, name] as unknown as Called);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error('the runs are closed'));
    await this.#connecting;
    await this.#client?.end();
  }
}
