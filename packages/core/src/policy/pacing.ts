import type { Clock, Logger } from '@octo/plugin-api';
import type { RatePolicy } from '../manifest/manifest.ts';
import { withDeadline } from '../resilience/deadline.ts';
import type { Paces } from './paces.ts';

/** The books may take so long before a request is made without them. Milliseconds. */
const PATIENCE_MS = 5000;

export interface PacingBooks {
  readonly paces: Paces;
  /** Of the manifest that is served now; `undefined` when the instance may be asked as often as one likes. */
  readonly rateOf: (instance: string) => RatePolicy | undefined;
}

/** Says how long to wait before the next request to an instance. Until it is given its books nobody waits. */
export class Pacing {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #books: PacingBooks | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  use(books: PacingBooks): void {
    this.#books = books;
  }

  /**
   * Never rejects: without an answer of the books each request waits as long as one takes.
   * @returns milliseconds
   */
  readonly take = async (instance: string): Promise<number> => {
    const books = this.#books;
    const rate = books?.rateOf(instance);
    if (books === undefined || rate === undefined) return 0;
    const what = `the rate of plugin '${instance}'`;
    try {
      return await withDeadline(what, PATIENCE_MS, this.#clock, NEVER, () =>
        books.paces.take(instance, rate),
      );
    } catch (error) {
      this.#logger.warn(
        { instance, err: error },
        'the database does not say how soon a plugin may be asked; its host alone keeps to the rate meanwhile',
      );
      return rate.perMs / rate.requests;
    }
  };
}

const NEVER = new AbortController().signal;
