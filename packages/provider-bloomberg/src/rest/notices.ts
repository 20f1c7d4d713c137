import { isPluginError, PluginError, type Logger } from '@octo/plugin-api';
import type { ApiClient } from './api-client.ts';
import { objectOf } from './collection.ts';
import { eventsIn, type StreamMemory } from './event-stream.ts';
import type { HttpAnswer } from './exchange.ts';

/**
 * Bloomberg's stream of notifications, kept open: after a break it goes on behind the last event that was seen. An event
 * only says that it is time to look; what there is to deliver the listing says.
 */
export class Notices implements AsyncDisposable {
  readonly #client: ApiClient;
  readonly #logger: Logger;
  readonly #over = new AbortController();
  readonly #memory: StreamMemory = { lastEventId: '', retryMs: FIRST_RETRY_MS };
  readonly #seen = new Set<string>();
  #unread = 0;
  #wake: () => void = () => {};
  #pumping: Promise<void> | undefined;

  private constructor(client: ApiClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  /**
   * Resolves when the stream is open: what is asked for from now on will be told. The signal bounds the opening only.
   * @throws PluginError as the client does; signal.reason
   */
  static async open(client: ApiClient, logger: Logger, signal: AbortSignal): Promise<Notices> {
    const notices = new Notices(client, logger);
    const stop = (): void => notices.#over.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', stop, { once: true });
    try {
      notices.#pumping = notices.#pump(await notices.#connect());
    } finally {
      signal.removeEventListener('abort', stop);
    }
    return notices;
  }

  /** Resolves as soon as something was told since the last call. */
  async arrived(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#unread === 0) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = (): void => reject(signal.reason as Error);
      this.#wake = resolve;
      signal.addEventListener('abort', stop, { once: true });
      await promise.finally(() => signal.removeEventListener('abort', stop));
    }
    this.#unread = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error('the session has ended'));
    await this.#pumping;
  }

  async #connect(): Promise<HttpAnswer> {
    const { lastEventId } = this.#memory;
    const answer = await this.#client.send(
      {
        path: 'notifications/content/responses',
        headers: {
          Accept: 'text/event-stream',
          'Cache-Control': 'no-cache',
          ...(lastEventId !== '' && { 'Last-Event-ID': lastEventId }),
        },
      },
      this.#over.signal,
    );
    if (/^text\/event-stream\b/i.test(answer.header('content-type') ?? '')) return answer;
    await answer[Symbol.asyncDispose]();
    throw new PluginError('provider_down', 'the notifications are no stream of events', {
      code: 'NO_EVENT_STREAM',
    });
  }

  /** Never rejects; ends when the session does. */
  async #pump(first: HttpAnswer): Promise<void> {
    let failures = 0;
    for (let answer: HttpAnswer | undefined = first; ; answer = undefined) {
      try {
        await using stream = answer ?? (await this.#connect());
        failures = 0;
        for await (const event of eventsIn(stream.body, this.#memory)) this.#take(event.data);
        this.#logger.debug({}, 'notifications ended, connecting again');
      } catch (error) {
        if (this.#over.signal.aborted) return;
        failures++;
        this.#logger.info({ error: wordsOf(error) }, 'notifications interrupted, connecting again');
      }
      const pauseMs = Math.min(this.#memory.retryMs * 2 ** Math.max(0, failures - 1), MAX_RETRY_MS);
      await this.#client.clock.sleep(pauseMs, this.#over.signal).catch(() => {});
      if (this.#over.signal.aborted) return;
    }
  }

  /** Delivery is at least once: what was told before is no news. */
  #take(data: string): void {
    const news = newsIn(data);
    if (news === undefined || this.#seen.has(news)) return;
    this.#seen.add(news);
    this.#unread++;
    this.#wake();
  }
}

/** html.spec.whatwg.org leaves it to the browser; Bloomberg's clients wait so long. */
const FIRST_RETRY_MS = 3000;
const MAX_RETRY_MS = 60_000;

/** What tells one delivery from another; undefined for events of other kinds. There are two layouts, the old one first. */
function newsIn(data: string): string | undefined {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch {
    return undefined;
  }
  const { generated, key, headers, endedAtTime } = objectOf(event) ?? {};
  if (typeof key === 'string') return `${key} ${JSON.stringify(headers ?? '')}`;
  const identifier = objectOf(generated)?.['identifier'];
  return typeof identifier === 'string' ? `${identifier} ${String(endedAtTime)}` : undefined;
}

function wordsOf(error: unknown): string {
  return isPluginError(error) ? error.message : 'unknown error';
}
