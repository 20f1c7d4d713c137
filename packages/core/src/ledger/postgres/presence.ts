import { createHash, randomBytes } from 'node:crypto';
import type { Clock, Logger } from '@octo/plugin-api';
import { Client } from 'pg';
import { clientConfig, type DatabasePlace } from './database.ts';
import { explainTrouble, troubleFields } from './database-trouble.ts';

const RECONNECT_PAUSE_MS = 200;

/**
 * Shows the others that this process lives: a session-level advisory lock that the server lets go the moment the process
 * dies, however it dies. Deliveries name the lock's number, so those of a dead owner are claimable at once, while those
 * of a paused one keep their lease. Places of single-writer sinks are locked in the same session.
 */
export class Presence implements AsyncDisposable {
  /** The lock's number, as text: it does not fit a JavaScript number. */
  readonly lock = randomBytes(8).readBigInt64BE().toString();
  readonly #place: DatabasePlace;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  readonly #sinkPlaces = new Map<string, number>();
  #client: Client | undefined;
  #reconnecting: Promise<void> = Promise.resolve();

  private constructor(place: DatabasePlace, clock: Clock, logger: Logger) {
    this.#place = place;
    this.#clock = clock;
    this.#logger = logger;
  }

  static async show(place: DatabasePlace, clock: Clock, logger: Logger): Promise<Presence> {
    const presence = new Presence(place, clock, logger);
    try {
      await presence.#connect();
    } catch (error) {
      throw explainTrouble(error, place.description);
    }
    return presence;
  }

  /** Takes the lock of a sink's place; `undefined` when another process has it. */
  async takePlace(place: string): Promise<AsyncDisposable | undefined> {
    const lock = createHash('sha256').update(`octo place ${place}`).digest().readBigInt64BE();
    const number = lock.toString();
    await this.#reconnecting;
    const holders = this.#sinkPlaces.get(number) ?? 0;
    if (holders === 0) {
      const sql = 'select pg_try_advisory_lock($1) as taken';
      const { rows } = await this.#client!.query<{ taken: boolean }>(sql, [number]);
      if (!rows[0]!.taken) return undefined;
    }
    this.#sinkPlaces.set(number, (this.#sinkPlaces.get(number) ?? 0) + 1);
    let held = true;
    return {
      [Symbol.asyncDispose]: async () => {
        if (held) await this.#leavePlace(number);
        held = false;
      },
    };
  }

  async #leavePlace(number: string): Promise<void> {
    const holders = (this.#sinkPlaces.get(number) ?? 0) - 1;
    if (holders > 0) {
      this.#sinkPlaces.set(number, holders);
      return;
    }
    this.#sinkPlaces.delete(number);
    // Without a connection there is no lock to let go.
    await this.#client?.query('select pg_advisory_unlock($1)', [number]).catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new Client({
      ...clientConfig(this.#place.config),
      application_name: 'octo presence',
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      // A peer that vanished without a word is noticed in about a minute; unix sockets ignore these.
      await client.query(
        'set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3',
      );
      await client.query('select pg_advisory_lock($1)', [this.lock]);
      for (const number of this.#sinkPlaces.keys()) await this.#retakePlace(client, number);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    client.once('end', () => {
      this.#client = undefined;
      if (!this.#closed.signal.aborted) this.#reconnecting = this.#reconnect();
    });
  }

  async #retakePlace(client: Client, number: string): Promise<void> {
    const sql = 'select pg_try_advisory_lock($1) as taken';
    const { rows } = await client.query<{ taken: boolean }>(sql, [number]);
    if (!rows[0]!.taken)
      this.#logger.error({}, 'another process took the lock of a single-writer sink meanwhile');
  }

  async #reconnect(): Promise<void> {
    const signal = this.#closed.signal;
    while (!signal.aborted) {
      try {
        await this.#place.revive();
        await this.#connect();
        return;
      } catch (error) {
        this.#logger.warn(troubleFields(error), 'database connection lost, trying again');
        await this.#clock.sleep(RECONNECT_PAUSE_MS, signal).catch(() => undefined);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error('the ledger is closed'));
    await this.#reconnecting;
    await this.#client?.end();
  }
}
