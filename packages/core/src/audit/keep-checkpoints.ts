import type { Clock, Logger } from '@octo/plugin-api';
import { describeError } from '../observe/describe-error.ts';
import type { Head } from './audit-record.ts';
import type { CheckpointPlace } from './checkpoint-place.ts';

export interface KeepCheckpointsOptions {
  readonly place: CheckpointPlace;
  /** Of the log; see `logIdOf`. */
  readonly log: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const EVERY_MS = 60_000;
const EVERY_RECORDS = 1000;

/**
 * Tells a place outside how far the log has come: every minute in which it has grown, every thousand records, and at the
 * end. A place that does not answer is told of in the log of the program and tried again at the next occasion: records
 * that no checkpoint knows yet are as safe as without one.
 */
export class KeepCheckpoints implements AsyncDisposable {
  readonly #options: KeepCheckpointsOptions;
  readonly #closing = new AbortController();
  readonly #minutes: Promise<void>;
  #head: Head | undefined;
  #kept = 0;
  #isFailing = false;
  #putting: Promise<void> = Promise.resolve();

  constructor(options: KeepCheckpointsOptions) {
    this.#options = options;
    this.#minutes = this.#everyMinute();
  }

  readonly grown = (head: Head): void => {
    this.#head = head;
    if (this.#kept === 0 || head.n - this.#kept >= EVERY_RECORDS) this.#keep();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#minutes;
    await this.#putting;
    this.#keep();
    await this.#putting;
  }

  async #everyMinute(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#options.clock.sleep(EVERY_MS, this.#closing.signal).catch(() => {});
      if (!this.#closing.signal.aborted) this.#keep();
    }
  }

  /** One at a time; what has grown meanwhile waits for the next occasion. */
  #keep(): void {
    const head = this.#head;
    if (head === undefined || head.n === this.#kept) return;
    this.#kept = head.n;
    this.#putting = this.#putting.then(() => this.#put(head));
  }

  async #put(head: Head): Promise<void> {
    const { place, log, logger } = this.#options;
    try {
      await place.put({ log, ...head }, AbortSignal.timeout(10_000));
      if (this.#isFailing) logger.info({ place: place.name }, 'audit checkpoints are kept again');
      this.#isFailing = false;
    } catch (error) {
      const fields = { place: place.name, reason: describeError(error) };
      if (!this.#isFailing) logger.error(fields, 'audit checkpoint could not be kept');
      this.#isFailing = true;
    }
  }
}
