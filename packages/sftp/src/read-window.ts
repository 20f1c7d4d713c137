/**
 * How much may be under way from a server to us: as much as a fast line holds in one round trip, so that the server never
 * waits for us to ask. The round trip is the quickest answer to any question so far; asking only to measure would cost
 * what is to be saved. Memory is the limit: 32 MiB for a session, however far away the server is.
 */
import type { BudgetLimits } from './read-budget.ts';
import type { SftpSettings } from './sftp-options.ts';

export class ReadWindow {
  readonly #settings: SftpSettings;
  #roundTripMs = Infinity;
  #readers = 0;

  constructor(settings: SftpSettings) {
    this.#settings = settings;
  }

  /** A question was answered in this time. */
  answered(ms: number): void {
    this.#roundTripMs = Math.min(this.#roundTripMs, ms);
  }

  /** What reads may ask for before the first is answered. */
  get limits(): BudgetLimits {
    const { outstandingReads } = this.#settings;
    const reads = outstandingReads ?? Math.ceil(this.#bytes / READ_BYTES);
    return { reads, bytes: reads * READ_BYTES };
  }

  /** How far one of the files that are being read may run ahead of its consumer, in bytes. */
  get readAheadBytes(): number {
    const { readAheadBytes } = this.#settings;
    return (
      readAheadBytes ?? Math.max(LEAST_AHEAD, (SLACK * this.#bytes) / Math.max(1, this.#readers))
    );
  }

  /** One file more is being read, until the answer is disposed. */
  join(): Disposable {
    this.#readers++;
    return { [Symbol.dispose]: () => void this.#readers-- };
  }

  get #bytes(): number {
    const measured = Number.isFinite(this.#roundTripMs) ? this.#roundTripMs : 0;
    return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, measured * BYTES_PER_MS));
  }
}

const READ_BYTES = 32 * 1024;
const LEAST_BYTES = 64 * READ_BYTES;
const MOST_BYTES = 1024 * READ_BYTES;
const LEAST_AHEAD = 4 * 2 ** 20;
/** What has come and waits for its turn, beside what is under way. */
const SLACK = 1.25;
/** 4 Gbit/s: as fast as one connection with encryption gets. */
const BYTES_PER_MS = 512 * 1024;
