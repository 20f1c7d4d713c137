import type { Clock, Logger } from '@octo/plugin-api';
import type { Readable } from 'node:stream';
import { anything, oneOf, record, text, tuple } from '../wire/shape.ts';
import { boundedLines } from './bounded-lines.ts';

const line = tuple(text, oneOf('debug', 'info', 'warn', 'error'), record(anything, 200), text);
const LONGEST_PRINT = 2000;

/** Lets so many log lines of a worker pass in a second, and says how many it has kept back. */
export class LogGate {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #logger: Logger;
  readonly #loggerOf: (run: string) => Logger;
  #windowMs = 0;
  #passed = 0;
  #dropped = 0;

  /**
   * @param logger for what belongs to no run
   * @param loggerOf the logger of a run that goes on
   */
  constructor(clock: Clock, most: number, logger: Logger, loggerOf: (run: string) => Logger) {
    this.#clock = clock;
    this.#most = most;
    this.#logger = logger;
    this.#loggerOf = loggerOf;
  }

  /** @throws WireError when it is no log line */
  hear(args: readonly unknown[]): void {
    const [run, level, fields, message] = line(args, 'log');
    if (this.#mayPass()) this.#loggerOf(run)[level](fields, message);
  }

  /** What a plugin prints, past every logger, is a log line, too. */
  follow(output: Readable): void {
    boundedLines(output, LONGEST_PRINT, (printed) => {
      if (printed.trim() !== '' && this.#mayPass())
        this.#logger.info({ text: printed.trimEnd() }, 'a plugin printed');
    });
  }

  /** Says what was kept back, if anything was. */
  close(): void {
    this.#report();
  }

  #mayPass(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#windowMs >= 1000) {
      this.#report();
      this.#windowMs = now;
      this.#passed = 0;
    }
    if (this.#passed < this.#most) {
      this.#passed += 1;
      return true;
    }
    this.#dropped += 1;
    return false;
  }

  #report(): void {
    if (this.#dropped === 0) return;
    this.#logger.warn({ lines: this.#dropped }, 'log lines were dropped: there were too many');
    this.#dropped = 0;
  }
}
