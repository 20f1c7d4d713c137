import {
  type Clock,
  type Decoding,
  type Done,
  type Inspection,
  isPluginError,
  PluginError,
  type RemoteFile,
  type Session,
  type Tabulation,
} from '@octo/plugin-api';
import type { FolderEntry, SftpSession } from '@octo/sftp';
import { inspectReply } from '../formats/reply-inspection.ts';
import { replyRows } from '../formats/reply-rows.ts';
import { openUuDes } from '../formats/uu-des.ts';
import { type AskedFile, replyNameOf, type ReplyNames } from './reply-names.ts';
import type { RequestNotes } from './request-notes.ts';

/** The replies in an account's folder. */
export class ReplySession implements Session {
  readonly #options: ReplySessionOptions;

  constructor(options: ReplySessionOptions) {
    this.#options = options;
  }

  /** What is there; then, as long as `waitMs` allows, what is still being answered. */
  async *list(signal: AbortSignal): AsyncGenerator<RemoteFile, void, undefined> {
    const { clock, pollMs, waitMs } = this.#options;
    const told = new Set<string>();
    const untilMs = clock.monotonic() + waitMs;
    for (;;) {
      const names = new Set<string>();
      for await (const entry of this.#entries(signal)) {
        names.add(entry.name);
        const file = this.#file(entry);
        if (file === undefined || told.has(file.path)) continue;
        told.add(file.path);
        yield file;
      }
      const leftMs = untilMs - clock.monotonic();
      if (leftMs <= 0 || !this.#isAwaited(names)) return;
      await clock.sleep(Math.min(pollMs, leftMs), signal);
    }
  }

  /** Resolves when the folder is there and may be listed. */
  async expectListable(signal: AbortSignal): Promise<void> {
    const entries = this.#entries(signal);
    await entries.next();
    await entries.return();
  }

  async stat(file: RemoteFile, signal: AbortSignal): Promise<RemoteFile | undefined> {
    const found = await this.#options.session.stat(file.path, signal);
    if (found === undefined || found.size === undefined) return undefined;
    return { ...file, size: found.size, mtimeMs: found.mtimeMs };
  }

  read(
    file: RemoteFile,
    { offset }: { readonly offset: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    return this.#options.session.read(file.path, { offset, size: file.size }, signal);
  }

  inspect(): Inspection {
    return inspectReply();
  }

  decode(): Decoding | undefined {
    const { desPassword } = this.#options;
    return desPassword === undefined ? undefined : (bytes) => openUuDes(bytes, desPassword);
  }

  normalise(): Tabulation {
    return replyRows();
  }

  /** Files stay where they are; that this one is safe is noted, because a new request may take its name. */
  async done(file: RemoteFile, _id: string, signal: AbortSignal): Promise<Done | undefined> {
    signal.throwIfAborted();
    const { asked, notes } = this.#options;
    if (asked.some((one) => one.owns(file.name))) await notes.noteDelivered(file.path, file);
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.session[Symbol.asyncDispose]();
  }

  async *#entries(signal: AbortSignal): AsyncGenerator<FolderEntry, void> {
    const { folder, session } = this.#options;
    try {
      yield* session.list(folder, signal);
    } catch (error) {
      throw isPluginError(error) && error.type === 'not_found'
        ? folderMissing(folder, error)
        : error;
    }
  }

  #file(entry: FolderEntry): RemoteFile | undefined {
    const { mtimeMs, name, path, refused, size } = entry;
    const fields = this.#options.names.match(name);
    if (fields === undefined || entry.kind === 'folder') return undefined;
    const file = { path, name, size, mtimeMs, fields };
    return refused === undefined ? file : { ...file, refused };
  }

  /** Whether something that was asked for has no reply yet. */
  #isAwaited(names: ReadonlySet<string>): boolean {
    const answered = new Set([...names].map(replyNameOf));
    return this.#options.awaited.some((reply) => !answered.has(reply));
  }
}

export interface ReplySessionOptions {
  /** Disposed with this one. */
  readonly session: SftpSession;
  readonly folder: string;
  readonly names: ReplyNames;
  readonly asked: readonly AskedFile[];
  /** Names of the replies that were asked for when the session began, whatever day it is meanwhile. */
  readonly awaited: readonly string[];
  readonly notes: RequestNotes;
  /** Opens replies in the older envelope. */
  readonly desPassword: string | undefined;
  readonly waitMs: number;
  readonly pollMs: number;
  readonly clock: Clock;
}

function folderMissing(folder: string, cause: unknown): PluginError {
  return new PluginError(
    'validation',
    `there is no folder '${folder}'; check config/remoteDir, and whether this login may see it`,
    { cause, code: 'FOLDER_MISSING' },
  );
}
