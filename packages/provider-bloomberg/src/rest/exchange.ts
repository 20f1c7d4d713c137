/** One HTTP request and its answer, nothing interpreted: bytes as they come over the line, each wait with its deadline. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isPluginError, PluginError, type Clock } from '@octo/plugin-api';

export interface HttpCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
}

export interface HttpAnswer extends AsyncDisposable {
  readonly status: number;
  /** Names in lower case; the first of several. */
  header(name: string): string | undefined;
  /** The body as sent, once, in pieces that belong to the reader. `break` closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ExchangeOptions {
  readonly clock: Clock;
  /** Until the first line of the answer is there. Default: 30 seconds. */
  readonly answerMs?: number;
  /** How long a body may pause while somebody waits for it. Default: 90 seconds. */
  readonly idleMs?: number;
}

/** Connections of one instance, kept for the next request. */
export class Exchange implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #answerMs: number;
  readonly #idleMs: number;
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  constructor({ clock, answerMs = 30_000, idleMs = 90_000 }: ExchangeOptions) {
    this.#clock = clock;
    this.#answerMs = answerMs;
    this.#idleMs = idleMs;
  }

  /** @throws PluginError `network`; signal.reason */
  async send(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const over = new AbortController();
    const late = this.#clock.sleep(this.#answerMs, over.signal).then(
      () => Promise.reject(timedOut(call.url, this.#answerMs)),
      () => new Promise<never>(() => {}),
    );
    const asked = this.#ask(call, AbortSignal.any([signal, over.signal]));
    try {
      const message = await Promise.race([asked, late]);
      return new Answer(call.url, message, this.#clock, this.#idleMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      // Ends the timer; where it was late, the request, too.
      over.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.destroy();
    this.#https.destroy();
  }

  async #ask({ method, url, headers, body }: HttpCall, signal: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // A signal given to the request would also end the body, long after this promise.
    const stop = (): void => void asked.destroy(new Error('nobody waits for it'));
    const options = { method, headers };
    const asked =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: this.#https })
        : httpRequest(url, { ...options, agent: this.#http });
    asked.on('error', reject).once('response', resolve).end(body);
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await promise;
    } catch (cause) {
      throw connectionFailed(url, cause);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

class Answer implements HttpAnswer {
  readonly #url: URL;
  readonly #message: IncomingMessage;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #signal: AbortSignal;
  #waitingSinceMs: number | undefined;

  constructor(
    url: URL,
    message: IncomingMessage,
    clock: Clock,
    idleMs: number,
    signal: AbortSignal,
  ) {
    this.#url = url;
    this.#message = message;
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#signal = signal;
    // Whoever leaves the body unread must not be hit by how the connection ends.
    message.on('error', () => {});
  }

  get status(): number {
    return this.#message.statusCode ?? 0;
  }

  header(name: string): string | undefined {
    const value = this.#message.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#chunks();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What has been read to its end leaves its connection to the next request.
    if (!this.#message.complete) this.#message.destroy();
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const message = this.#message;
    const signal = this.#signal;
    const read = new AbortController();
    const stop = (): void => void message.destroy(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    const watching = this.#watch(read.signal);
    try {
      signal.throwIfAborted();
      const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      for (;;) {
        this.#waitingSinceMs = this.#clock.monotonic();
        const { done, value } = await chunks.next();
        this.#waitingSinceMs = undefined;
        signal.throwIfAborted();
        if (done === true) return;
        yield value;
      }
    } catch (cause) {
      signal.throwIfAborted();
      throw cause instanceof PluginError ? cause : connectionFailed(this.#url, cause);
    } finally {
      signal.removeEventListener('abort', stop);
      read.abort();
      await watching;
      if (!message.complete) message.destroy();
    }
  }

  /** Only time in which somebody waits counts: a slow consumer is not the server's silence. */
  async #watch(read: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const nowMs = this.#clock.monotonic();
        const waitedMs = nowMs - (this.#waitingSinceMs ?? nowMs);
        if (waitedMs >= this.#idleMs) {
          this.#message.destroy(stalled(this.#url, this.#idleMs));
          return;
        }
        await this.#clock.sleep(this.#idleMs - waitedMs, read);
      }
    } catch (error) {
      if (!read.aborted) this.#message.destroy(error as Error);
    }
  }
}

/**
 * The whole body as text.
 * @throws PluginError `provider_down` with code `BODY_TOO_LARGE`
 */
export async function textOf(answer: HttpAnswer, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new PluginError(
        'provider_down',
        `Bloomberg's answer has more than ${maxBytes} bytes, which no answer of this kind has`,
        { code: 'BODY_TOO_LARGE' },
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function timedOut(url: URL, ms: number): PluginError {
  return new PluginError(
    'network',
    `no answer from ${url.host} within ${ms / 1000} s; it is down, or a firewall or proxy drops the packets`,
    { code: 'TIMEOUT' },
  );
}

function stalled(url: URL, ms: number): PluginError {
  return new PluginError('network', `${url.host} sent nothing for ${ms / 1000} s in an answer`, {
    code: 'STALLED',
  });
}

function connectionFailed({ host }: URL, cause: unknown): PluginError {
  if (isPluginError(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'CONNECTION_LOST';
  const advice = ADVICE[code] ?? `the connection broke (${code}); it is tried again`;
  return new PluginError('network', `${host}: ${advice}`, { code, cause });
}

const ADVICE: { readonly [code: string]: string } = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED); check config/endpoint',
  ENOTFOUND: 'the host name does not exist (ENOTFOUND); check config/endpoint',
  EAI_AGAIN: 'the name server does not answer (EAI_AGAIN); check the DNS of this machine',
};
