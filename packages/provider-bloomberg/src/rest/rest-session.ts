import {
  type Clock,
  type Inspection,
  type Logger,
  PluginError,
  type RemoteFile,
  type Session,
  type Tabulation,
} from '@octo/plugin-api';
import { inspectReply } from '../formats/reply-inspection.ts';
import { replyRows } from '../formats/reply-rows.ts';
import { isArchive } from './archive.ts';
import type { AskedRequest } from './asked.ts';
import type { Catalog, ResponseFilter } from './catalog.ts';
import { download } from './download.ts';
import type { Notices } from './notices.ts';
import { remoteFile, type ResponseEntry, responseEntry } from './response-entry.ts';

/** The responses in one catalogue. */
export class RestSession implements Session {
  readonly #options: RestSessionOptions;
  readonly #entries = new Map<string, ResponseEntry>();

  constructor(options: RestSessionOptions) {
    this.#options = options;
  }

  /** What is there; then, as long as `waitMs` allows, what is still being answered. */
  async *list(signal: AbortSignal): AsyncGenerator<RemoteFile, void, undefined> {
    const { clock, pollMs, waitMs } = this.#options;
    const told = new Set<string>();
    const untilMs = clock.monotonic() + waitMs;
    for (;;) {
      yield* this.#news(told, signal);
      const leftMs = untilMs - clock.monotonic();
      if (leftMs <= 0 || !this.#isAwaited()) return;
      await this.#pause(Math.min(pollMs, leftMs), signal);
    }
  }

  async stat(file: RemoteFile, signal: AbortSignal): Promise<RemoteFile | undefined> {
    signal.throwIfAborted();
    const entry = await this.#find(file.path, signal);
    return entry === undefined ? undefined : await this.#file(entry, signal);
  }

  async *read(
    file: RemoteFile,
    { offset }: { readonly offset: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    signal.throwIfAborted();
    const { catalog, logger } = this.#options;
    const entry = this.#entries.get(file.path) ?? (await this.#find(file.path, signal));
    if (entry === undefined) throw gone(file.path);
    const { client } = catalog;
    const { digest, key } = entry;
    yield* download({ client, path: catalog.pathOf(key), key, digest, logger }, offset, signal);
  }

  inspect({ name }: RemoteFile): Inspection | undefined {
    return isArchive(name) ? undefined : inspectReply();
  }

  normalise({ name }: RemoteFile): Tabulation | undefined {
    return isArchive(name) ? undefined : replyRows();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.notices?.[Symbol.asyncDispose]();
  }

  async *#news(told: Set<string>, signal: AbortSignal): AsyncGenerator<RemoteFile, void> {
    for await (const entry of this.#listed(signal)) {
      const version = `${entry.key} ${entry.mtimeMs} ${entry.size}`;
      this.#entries.set(entry.key, entry);
      if (told.has(version)) continue;
      told.add(version);
      yield await this.#file(entry, signal);
    }
  }

  async *#listed(signal: AbortSignal): AsyncGenerator<ResponseEntry, void> {
    const { asked, catalog, prefix } = this.#options;
    if (asked.length === 0) {
      yield* catalog.responses(prefix === undefined ? {} : { prefix }, signal);
      return;
    }
    for (const request of asked)
      for await (const entry of catalog.responses(request.filter, signal))
        if (request.owns(entry)) yield entry;
  }

  /** Whether something that was asked for has no answer yet. */
  #isAwaited(): boolean {
    const answered = new Set([...this.#entries.values()].map(({ requestId }) => requestId));
    return this.#options.awaited.some((identifier) => !answered.has(identifier));
  }

  /** Until something was announced, or it is time to look anyway. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, notices } = this.#options;
    const over = new AbortController();
    const inner = AbortSignal.any([signal, over.signal]);
    const waits = [clock.sleep(ms, inner), ...(notices ? [notices.arrived(inner)] : [])];
    try {
      await Promise.race(waits);
    } finally {
      over.abort();
      await Promise.allSettled(waits);
    }
  }

  /** Listings show a week; what is older is asked about by its key. */
  async #find(key: string, signal: AbortSignal): Promise<ResponseEntry | undefined> {
    const entry = (await this.#listedAs(key, signal)) ?? (await this.#told(key, signal));
    if (entry !== undefined) this.#entries.set(key, entry);
    return entry;
  }

  async #listedAs(key: string, signal: AbortSignal): Promise<ResponseEntry | undefined> {
    const filter: ResponseFilter = { prefix: key };
    for await (const entry of this.#options.catalog.responses(filter, signal))
      if (entry.key === key) return entry;
    return undefined;
  }

  async #told(key: string, signal: AbortSignal): Promise<ResponseEntry | undefined> {
    const { catalog } = this.#options;
    await using answer = await catalog.client.send(
      {
        method: 'HEAD',
        path: catalog.pathOf(key),
        headers: { Accept: '*/*', 'Accept-Encoding': 'identity' },
        accept: [404],
      },
      signal,
    );
    if (answer.status === 404) return undefined;
    const names = ['content-length', 'last-modified', 'digest'];
    const headers = Object.fromEntries(names.map((name) => [name, answer.header(name)]));
    return responseEntry({ key, headers });
  }

  async #file(entry: ResponseEntry, signal: AbortSignal): Promise<RemoteFile> {
    return remoteFile(entry, entry.size ?? (await this.#sizeOf(entry.key, signal)));
  }

  /** For listings that do not tell. */
  async #sizeOf(key: string, signal: AbortSignal): Promise<number> {
    const size = (await this.#told(key, signal))?.size;
    if (size !== undefined) return size;
    throw new PluginError(
      'provider_down',
      `Bloomberg tells no size of '${key}', neither in the listing nor when asked; tell them`,
      { code: 'BAD_LISTING' },
    );
  }
}

export interface RestSessionOptions {
  readonly catalog: Catalog;
  /** Empty when everything is delivered. */
  readonly asked: readonly AskedRequest[];
  /** Identifiers of the requests that were asked for when the session began, whatever day it is meanwhile. */
  readonly awaited: readonly string[];
  readonly prefix: string | undefined;
  readonly waitMs: number;
  readonly pollMs: number;
  /** Disposed with the session. */
  readonly notices: Notices | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

function gone(key: string): PluginError {
  return new PluginError('not_found', `Bloomberg lists no response '${key}' any more`, {
    code: 'NO_SUCH_RESPONSE',
  });
}
