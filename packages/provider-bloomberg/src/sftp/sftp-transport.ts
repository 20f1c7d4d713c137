import type { Clock, Diagnosis, Logger, SyncToDisk } from '@octo/plugin-api';
import { connectSftp, diagnoseSftp, type SftpOptions, type SftpSession } from '@octo/sftp';
import type { BloombergConfig } from '../config-schema.ts';
import { ask } from './ask.ts';
import { AskedFile, ReplyNames } from './reply-names.ts';
import { ReplySession } from './reply-session.ts';
import { requestText } from './request-text.ts';
import { RequestNotes } from './request-notes.ts';

/** Bloomberg's SFTP account: requests are uploaded, replies appear beside them. */
export class SftpTransport implements AsyncDisposable {
  readonly settleMs: number;
  readonly #options: SftpTransportOptions;
  readonly #asked: readonly AskedFile[];
  readonly #names: ReplyNames;
  readonly #notes: RequestNotes;
  readonly #folder: string;

  /** @throws PluginError `validation` */
  constructor(options: SftpTransportOptions) {
    const { access, clock, config, stateFolder, sync } = options;
    this.#options = options;
    this.settleMs = config.settleMs;
    this.#folder = config.remoteDir === '.' ? '' : config.remoteDir;
    this.#notes = new RequestNotes(
      stateFolder,
      `${access.username}@${access.host}:${access.port ?? 22}`,
      sync,
    );
    this.#asked = (config.requestFiles ?? []).map((one) => new AskedFile(one, config.timezone));
    this.#names = new ReplyNames(this.#asked, config.pattern);
    // What cannot be written is found before anything runs.
    for (const asked of this.#asked) this.#textOf(asked, asked.name.at(clock.now()));
  }

  async connect(signal: AbortSignal): Promise<ReplySession> {
    signal.throwIfAborted();
    const { access, clock, config, logger } = this.#options;
    const { desPassword, pollMs, waitMs } = config;
    await using opened = new AsyncDisposableStack();
    const session = opened.use(await connectSftp(access, { clock, logger }, signal));
    const awaited = await this.#ask(session, signal);
    opened.move();
    return new ReplySession({
      session,
      folder: this.#folder,
      names: this.#names,
      asked: this.#asked,
      awaited,
      notes: this.#notes,
      desPassword,
      waitMs,
      pollMs,
      clock,
    });
  }

  /** Logs in, looks into the folder, and leaves; asks for nothing. */
  async health(signal: AbortSignal): Promise<void> {
    const { access, clock, logger } = this.#options;
    await using session = await connectSftp(access, { clock, logger }, signal);
    const entries = session.list(this.#folder, signal)[Symbol.asyncIterator]();
    await entries.next();
    await entries.return?.();
  }

  diagnose(signal: AbortSignal): AsyncIterable<Diagnosis> {
    const { access, clock, logger } = this.#options;
    return diagnoseSftp(access, { clock, logger }, this.#folder, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Answers the names of the replies of this moment. */
  async #ask(session: SftpSession, signal: AbortSignal): Promise<string[]> {
    const { clock, logger } = this.#options;
    if (this.#asked.length > 0) await this.#notes.forget(clock.now());
    const options = {
      session,
      folder: this.#folder,
      notes: this.#notes,
      clock,
      logger,
      textOf: (asked: AskedFile, reply: string) => this.#textOf(asked, reply),
    };
    const replies: string[] = [];
    for (const asked of this.#asked) replies.push(await ask(asked, options, signal));
    return replies;
  }

  #textOf(asked: AskedFile, reply: string): string {
    return requestText(asked.config, reply, this.#options.access.username);
  }
}

export interface SftpTransportOptions {
  readonly config: BloombergConfig;
  readonly access: SftpOptions;
  /** Exists once the instance was started. */
  readonly stateFolder: string;
  readonly sync: SyncToDisk;
  readonly clock: Clock;
  readonly logger: Logger;
}
