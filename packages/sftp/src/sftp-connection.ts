/**
 * One SFTP channel, and the promise that every question asked on it is settled: by the answer, by the loss of the
 * connection, by the caller's signal, or by a deadline that gives the connection up.
 */
import type { Socket } from 'node:net';
import { PluginError, type Clock, type Logger } from '@octo/plugin-api';
import type { SFTPWrapper } from 'ssh2';
import { displayPath } from './display-path.ts';
import type { LoggedIn } from './log-in.ts';
import type { Decryption } from './own-decryption.ts';
import { RawChannel } from './raw-channel.ts';
import { ReadWindow } from './read-window.ts';
import { ReadBudget } from './read-budget.ts';
import { connectionLost, sftpCode, statusError } from './sftp-error.ts';
import type { SftpSettings } from './sftp-options.ts';

type Callback<T> = (error: Error | undefined, value: T) => void;

export interface Question<T> {
  /** What is asked, for messages: `stat`, `open`. */
  readonly doing: string;
  readonly path: string;
  readonly ask: (sftp: SFTPWrapper, answer: Callback<T>) => void;
  /** Gets an answer that came after nobody waited for it any more. */
  readonly tooLate?: (value: T) => void;
}

/** A question that is not settled yet. */
interface Waiting {
  readonly doing: string;
  readonly path: string;
  readonly askedMs: number;
  readonly reject: (error: unknown) => void;
}

/** Without a reason of ours an abort makes an error, with a stack, that nobody looks at. */
const NOBODY_WAITS = 'nobody waits';

export class SftpConnection implements AsyncDisposable {
  readonly settings: SftpSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channel: RawChannel;
  readonly budget: ReadBudget;
  readonly window: ReadWindow;
  readonly #loggedIn: LoggedIn;
  readonly #socket: Socket;
  readonly #lost = new AbortController();
  readonly #waiting = new Set<Waiting>();
  #watching = new AbortController();
  #disposal: Promise<void> | undefined;

  constructor(
    loggedIn: LoggedIn,
    socket: Socket,
    { settings, clock, logger }: { settings: SftpSettings; clock: Clock; logger: Logger },
  ) {
    this.settings = settings;
    this.clock = clock;
    this.logger = logger;
    this.#loggedIn = loggedIn;
    this.#socket = socket;
    this.window = new ReadWindow(settings);
    this.budget = new ReadBudget(this.window.limits);
    this.channel = new RawChannel(loggedIn.sftp, socket);
    this.#widen();
    const ended = () => this.lose(connectionLost(settings, loggedIn.trouble.error));
    loggedIn.sftp.on('error', (error: Error) => this.lose(protocolError(settings, error)));
    loggedIn.sftp.on('end', ended).on('close', ended);
    socket.once('close', ended);
  }

  /** Who decrypts what the server sends. */
  get decryption(): Decryption {
    return this.#loggedIn.decryption;
  }

  /** Aborted, with the reason, once the connection is of no use any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Gives the connection up; everything that waits on it rejects with the error. */
  lose(error: PluginError): void {
    if (this.lost.aborted) return;
    this.#lost.abort(error);
    this.#giveUp(error);
    this.#socket.destroy();
  }

  /**
   * Asks one question.
   * @throws PluginError by the status of the answer; `network` when there was none
   */
  async ask<T>(question: Question<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.lost.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { doing, path } = question;
    const askedMs = this.clock.monotonic();
    const waiting = { doing, path, askedMs, reject };
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    this.#wait(waiting);
    question.ask(this.#loggedIn.sftp, (error, value) => {
      this.window.answered(this.clock.monotonic() - askedMs);
      if (!this.#waiting.has(waiting)) {
        if (!error) question.tooLate?.(value);
      } else if (error) reject(this.failure(doing, path, error));
      else resolve(value);
    });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#waiting.delete(waiting);
      if (this.#waiting.size === 0) this.#watching.abort(NOBODY_WAITS);
    }
  }

  /** A file is being read, until what this returns is disposed; as much may be under way as the round trip asks for. */
  reading(): Disposable {
    this.budget.raise(this.window.limits);
    this.#widen();
    return this.window.join();
  }

  /** What an error of the channel means: a status of the server, or the loss of the connection. */
  failure(doing: string, path: string, error: Error): PluginError {
    if (sftpCode(error) !== undefined) return statusError(this.settings, doing, path, error);
    this.lose(connectionLost(this.settings, this.#loggedIn.trouble.error ?? error));
    return this.lost.reason as PluginError;
  }

  /** No answer for too long. */
  stalled(doing: string, path: string): PluginError {
    const { address, idleMs } = this.settings;
    const what = `no answer for ${idleMs / 1000} s to ${doing} ${displayPath(path)}`;
    return new PluginError('network', `sftp ${address}: ${what}; the connection was given up`, {
      code: 'STALLED',
    });
  }

  /** Closes a file or folder. Never rejects: what was read does not depend on it. */
  async close(handle: Buffer, path: string): Promise<void> {
    if (this.lost.aborted) return;
    const ask: Question<void>['ask'] = (sftp, answer) =>
      sftp.close(handle, (error) => answer(error ?? undefined));
    try {
      await this.ask({ doing: 'close', path, ask }, this.lost);
    } catch (error) {
      const shown = displayPath(error instanceof Error ? error.message : String(error));
      this.logger.debug({ error: shown }, 'sftp handle was not closed');
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#end();
    return this.#disposal;
  }

  async #end(): Promise<void> {
    const { address } = this.settings;
    const wasLost = this.lost.aborted;
    this.#lost.abort(
      new PluginError('network', `sftp ${address}: the session was closed`, { code: 'CLOSED' }),
    );
    this.#giveUp(this.lost.reason);
    if (this.#socket.closed) return;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#socket.once('close', () => resolve());
    const stop = new AbortController();
    if (!wasLost) this.#sayGoodbye();
    const late = this.clock.sleep(GOODBYE_MS, stop.signal).then(
      () => this.#socket.destroy(),
      () => {},
    );
    await Promise.race([closed, late]);
    stop.abort();
  }

  /** Errors from here on mean nothing: many servers reset the connection instead of closing it. */
  #sayGoodbye(): void {
    this.channel.flush();
    this.#loggedIn.client.end().catch((error: unknown) => {
      const shown = displayPath(error instanceof Error ? error.message : String(error));
      this.logger.debug({ error: shown }, 'sftp connection did not end in good order');
    });
    // Not waiting for the other side's goodbye.
    this.#socket.destroySoon();
  }

  /** Twice what can be asked for, so that the window is refilled long before it is empty. */
  #widen(): void {
    this.channel.widen(2 * this.window.limits.bytes);
  }

  #giveUp(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error);
  }

  #wait(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (this.#waiting.size > 1) return;
    this.#watching = new AbortController();
    void this.#watch(this.#watching.signal);
  }

  /** One watch for all: who asked first is first to have waited too long. */
  async #watch(stop: AbortSignal): Promise<void> {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const leftMs = first.askedMs + this.settings.idleMs - this.clock.monotonic();
      if (leftMs <= 0) return this.lose(this.stalled(first.doing, first.path));
      try {
        await this.clock.sleep(leftMs, stop);
      } catch {
        return;
      }
    }
  }
}

const GOODBYE_MS = 2000;

function protocolError({ address }: SftpSettings, error: Error): PluginError {
  return new PluginError(
    'provider_down',
    `sftp ${address}: the server sent what is not SFTP (${displayPath(error.message)}); tell the vendor`,
    { code: 'PROTOCOL_ERROR', cause: error },
  );
}
