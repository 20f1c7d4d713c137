import type { LookupFunction } from 'node:net';
import type { Clock, Logger } from '@octo/plugin-api';
import { Database, type DatabasePlace } from '../ledger/postgres/database.ts';
import type { PipelineConfig } from '../manifest/manifest.ts';
import { describeError } from '../observe/describe-error.ts';
import { NoticeStore, type TakenNotice } from './notice-store.ts';
import { postNotice } from './post-notice.ts';
import { silentSince } from './silent-since.ts';
import type { Webhook } from './webhook.ts';

export interface NotifyingOptions {
  readonly place: DatabasePlace;
  readonly webhooks: readonly Webhook[];
  /** Those that are served now, to see which is late. */
  readonly pipelines: () => Iterable<PipelineConfig>;
  readonly clock: Clock;
  /** For jitter; 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly logger: Logger;
  /** Resolves the names of webhooks, in place of the system. */
  readonly lookup?: LookupFunction;
}

const PAUSE_MS = 1_000;
/** Messages to one webhook at the same time. */
const MOST_AT_ONCE = 8;
const FIRST_AGAIN_MS = 5_000;
const LONGEST_AGAIN_MS = 3_600_000;
/** Then a message is given up. */
const PATIENCE_MS = 3 * 86_400_000;
const FORGET_EVERY_MS = 3_600_000;

/**
 * Tells webhooks what happened: from the outbox that is written in the transaction of what it tells, so nothing is told that
 * did not happen and nothing is forgotten; at least once, under the same id, until the other side has taken it. Any number of
 * hosts may do it beside each other.
 */
export class Notifying implements AsyncDisposable {
  readonly #options: NotifyingOptions;
  readonly #database: Database;
  readonly #store: NoticeStore;
  readonly #stop = new AbortController();
  #turning: Promise<unknown> = Promise.resolve();
  #forgetAtMs = 0;

  private constructor(options: NotifyingOptions) {
    this.#options = options;
    this.#database = new Database(options.place, options);
    this.#store = new NoticeStore(this.#database, options.webhooks);
  }

  /** @throws OctoError `OCTO_DATABASE_*` */
  static async open(options: NotifyingOptions): Promise<Notifying> {
    const notifying = new Notifying(options);
    await notifying.#store.enrol();
    return notifying;
  }

  /** Goes on until it is disposed. */
  begin(): void {
    const { webhooks } = this.#options;
    const gathering = this.#again(async () => {
      await this.gather();
      return false;
    });
    const telling = webhooks.map((one) => this.#again(() => this.#tellSome(one)));
    this.#turning = Promise.all([gathering, ...telling]);
  }

  /** One look at what happened. */
  async gather(): Promise<void> {
    while ((await this.#store.gather()) > 0) this.#stop.signal.throwIfAborted();
    await this.#store.add(await this.#store.failures());
    await this.#gatherLate();
    if (this.#options.clock.monotonic() < this.#forgetAtMs) return;
    this.#forgetAtMs = this.#options.clock.monotonic() + FORGET_EVERY_MS;
    await this.#store.forget();
  }

  /** Tells each webhook what is due now, once. */
  async tell(): Promise<void> {
    await Promise.all(this.#options.webhooks.map((one) => this.#tellSome(one)));
  }

  /** Whether there may be more. */
  async #tellSome(webhook: Webhook): Promise<boolean> {
    const taken = await this.#store.take(webhook.name, MOST_AT_ONCE);
    await Promise.all(taken.map((notice) => this.#tellOne(webhook, notice)));
    return taken.length === MOST_AT_ONCE;
  }

  async #tellOne(webhook: Webhook, notice: TakenNotice): Promise<void> {
    const { clock, logger, random, lookup } = this.#options;
    const { id, attempts, ageMs } = notice;
    const posted = await postNotice(webhook, notice, clock, this.#stop.signal, lookup);
    if (posted.answer === 'taken') return await this.#store.done(id);
    const { trouble } = posted;
    const fields = { webhook: webhook.name, notice: id, attempts, reason: trouble };
    if (posted.answer === 'gone' || ageMs > PATIENCE_MS) {
      logger.error(fields, 'webhook was not told: given up');
      return await this.#store.done(id, trouble);
    }
    if (attempts === 1) logger.warn(fields, 'webhook was not told, trying again');
    const pause = Math.min(FIRST_AGAIN_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_AGAIN_MS);
    await this.#store.again(id, posted.afterMs ?? pause * (0.5 + random() / 2), trouble);
  }

  async #gatherLate(): Promise<void> {
    const nowMs = this.#options.clock.now();
    const expected = [...this.#options.pipelines()].filter(
      ({ enabled, lateAfterMs }) => enabled && lateAfterMs !== undefined,
    );
    if (expected.length === 0) return;
    const last = await this.#store.lastDeliveries();
    const late = expected.flatMap((pipeline) => {
      const lastMs = last.get(pipeline.id) ?? this.#store.lookingSinceMs;
      const since = silentSince(pipeline, lastMs, nowMs);
      if (since === undefined || since < this.#store.lookingSinceMs) return [];
      const data = { since: new Date(since).toISOString(), lateAfterMs: pipeline.lateAfterMs! };
      const subject = `late/${pipeline.id}/${since}`;
      return [{ kind: 'late', subject, pipeline: pipeline.id, atMs: nowMs, data } as const];
    });
    await this.#store.add(late);
  }

  /** Over and over, with a pause when there was nothing. */
  async #again(turn: () => Promise<boolean>): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const isMore = await turn().catch((error: unknown) => {
        if (!signal.aborted)
          logger.warn({ reason: describeError(error) }, 'webhooks could not be served just now');
        return false;
      });
      if (!isMore) await clock.sleep(PAUSE_MS, signal).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the host stops'));
    await this.#turning;
    await this.#database[Symbol.asyncDispose]();
  }
}
