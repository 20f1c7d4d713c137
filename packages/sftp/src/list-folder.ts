/** Our own listing, entry by entry and with an end: the library's collects whatever the server sends, for ever. */
import { PluginError } from '@octo/plugin-api';
import type { FileEntryWithStats } from 'ssh2';
import { displayPath } from './display-path.ts';
import { folderEntry, type FolderEntry } from './folder-entry.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { SFTP_CODE, sftpCode } from './sftp-error.ts';

/**
 * Every entry of the folder but `.` and `..`.
 * @throws PluginError `integrity` with code `LISTING_LIMIT`; by the server's status
 */
export async function* listFolder(
  connection: SftpConnection,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<FolderEntry, void, undefined> {
  const { settings } = connection;
  const handle = await openFolder(connection, folder, signal);
  const answers = new Answers(connection, handle, folder);
  let count = 0;
  let nameBytes = 0;
  try {
    for (;;) {
      const batch = await answers.next(signal);
      if (batch === undefined) return;
      // An empty answer counts as well, or a server could give them for ever.
      count += Math.max(1, batch.length);
      for (const { filename, longname } of batch) nameBytes += filename.length + longname.length;
      const limit = exceeded(count, nameBytes, answers.waitedMs, settings);
      if (limit !== undefined) throw tooLong(settings.address, folder, limit);
      for (const entry of batch) yield folderEntry(folder, entry);
    }
  } finally {
    // The server hears of it before whatever is asked next.
    void connection.close(handle, folder);
  }
}

type Names = FileEntryWithStats[];

interface Asked {
  readonly answer: Promise<Names | undefined>;
  isAnswered: boolean;
  /** No other question was waiting when it was asked. */
  readonly isAlone: boolean;
}

/**
 * The names in a folder, answer by answer. A few questions are under way before the first is answered, so that the folder of a
 * vendor who is far away is not one round trip for each hundred files; the more there are, the more come. A server that
 * refuses so many is asked one by one.
 */
class Answers {
  /** How long it was waited for the server, in milliseconds. */
  waitedMs = 0;
  readonly #connection: SftpConnection;
  readonly #handle: Buffer;
  readonly #folder: string;
  readonly #asked: Asked[] = [];
  #most = FIRST_QUESTIONS;
  #hasEnded = false;
  #refusal: unknown;

  constructor(connection: SftpConnection, handle: Buffer, folder: string) {
    this.#connection = connection;
    this.#handle = handle;
    this.#folder = folder;
  }

  /** The next names; undefined at the end. */
  async next(signal: AbortSignal): Promise<Names | undefined> {
    for (;;) {
      this.#askMore(signal);
      const first = this.#asked.shift();
      if (first === undefined) return undefined;
      const answer = await this.#answered(first, signal);
      if (answer === 'refused') continue;
      if (answer !== undefined) return this.#more(answer);
      // What was refused before may have been more than a question too many: then this is not all there is.
      if (this.#refusal !== undefined) throw this.#refusal as Error;
      this.#hasEnded = true;
    }
  }

  /** Nothing while there is an answer that was not looked at: it may be the end. */
  #askMore(signal: AbortSignal): void {
    if (this.#hasEnded || this.#asked[0]?.isAnswered === true) return;
    while (this.#asked.length < this.#most) {
      const answer = readNames(this.#connection, this.#handle, this.#folder, signal);
      const asked = { answer, isAnswered: false, isAlone: this.#asked.length === 0 };
      const answered = (): void => void (asked.isAnswered = true);
      // What went wrong is told by whoever waits for it.
      answer.then(answered, answered);
      this.#asked.push(asked);
    }
  }

  /** What was answered, or that it was one question too many. */
  async #answered(
    { answer, isAlone }: Asked,
    signal: AbortSignal,
  ): Promise<Names | undefined | 'refused'> {
    const { clock, lost } = this.#connection;
    const askedMs = clock.monotonic();
    try {
      const names = await answer;
      if (isAlone) this.#refusal = undefined;
      return names;
    } catch (error) {
      if (isAlone || signal.aborted || lost.aborted) throw error;
      if (!this.#hasEnded) this.#refusal ??= error;
      this.#most = 1;
      return 'refused';
    } finally {
      this.waitedMs += clock.monotonic() - askedMs;
    }
  }

  /** Also after an end, which then was none. */
  #more(names: Names): Names {
    this.#hasEnded = false;
    if (this.#most > 1) this.#most = Math.min(MOST_QUESTIONS, this.#most + 1);
    return names;
  }
}

function openFolder(
  connection: SftpConnection,
  folder: string,
  signal: AbortSignal,
): Promise<Buffer> {
  return connection.ask<Buffer>(
    {
      doing: 'list',
      path: folder,
      ask: (sftp, answer) => sftp.opendir(folder === '' ? '.' : folder, answer),
      tooLate: (handle) => void connection.close(handle, folder),
    },
    signal,
  );
}

/** The next entries; undefined at the end. */
function readNames(
  connection: SftpConnection,
  handle: Buffer,
  folder: string,
  signal: AbortSignal,
): Promise<Names | undefined> {
  return connection.ask<Names | undefined>(
    {
      doing: 'list',
      path: folder,
      ask: (sftp, answer) =>
        sftp.readdir(handle, (error, list) => {
          if (sftpCode(error) === SFTP_CODE.eof) answer(undefined, undefined);
          else answer(error, list);
        }),
    },
    signal,
  );
}

function exceeded(
  count: number,
  nameBytes: number,
  waitedMs: number,
  { maxEntries, listMs }: { maxEntries: number; listMs: number },
): string | undefined {
  if (count > maxEntries) return `more than ${maxEntries} entries (maxEntries)`;
  if (nameBytes > MAX_NAME_BYTES) return `more than ${MAX_NAME_BYTES} bytes of names`;
  if (waitedMs > listMs) return `no end after ${listMs / 1000} s (listMs)`;
  return undefined;
}

function tooLong(address: string, folder: string, limit: string): PluginError {
  return new PluginError(
    'integrity',
    `sftp ${address}: the listing of ${displayPath(folder)} has ${limit}; ask the vendor to clear the folder, or raise ` +
      'the limit',
    { code: 'LISTING_LIMIT' },
  );
}

/** As WinSCP does. */
const FIRST_QUESTIONS = 2;
/** As lftp does. */
const MOST_QUESTIONS = 16;
const MAX_NAME_BYTES = 64 * 2 ** 20;
