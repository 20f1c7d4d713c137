import { PluginError, type Clock, type Logger } from '@octo/plugin-api';
import type { Throttle } from '../throttle.ts';
import { apiError, serverTimeOf } from './api-error.ts';
import type { Authorization } from './authorization.ts';
import { type Exchange, type HttpAnswer, textOf } from './exchange.ts';

export interface ApiCall {
  /** Default: `GET`. */
  readonly method?: string;
  /** Relative to the endpoint, or absolute: `catalogs/`. */
  readonly path: string | URL;
  readonly query?: { readonly [name: string]: string | undefined };
  readonly headers?: { readonly [name: string]: string };
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Answers besides 2xx that the caller understands. */
  readonly accept?: readonly number[];
}

/**
 * Calls of the REST API: each with a proof of its own, no faster than Bloomberg allows, to wherever a redirect leads.
 *
 * Three things are tried again here, because only here one knows what they mean: 401 once, when the answer tells another
 * time than ours or the token may have ended; 429 after a pause that all calls keep; redirects with a new token.
 */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** The address of a path: `catalogs/` → `https://api.bloomberg.com/eap/catalogs/`. */
  url(path: string | URL, query: ApiCall['query'] = {}): URL {
    const url = new URL(path, this.#options.endpoint);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  /**
   * The answer, with a status of 2xx or one that `accept` names. Dispose it.
   * @throws PluginError by what Bloomberg answered; `network`
   */
  async send(call: ApiCall, signal: AbortSignal): Promise<HttpAnswer> {
    const state = { method: call.method ?? 'GET', url: this.url(call.path, call.query) };
    let wasRefused = false;
    let redirects = 0;
    for (let storms = 0; ;) {
      const answer = await this.#once(state, call, signal);
      const { status } = answer;
      if ((status >= 200 && status < 300) || call.accept?.includes(status) === true) return answer;
      await using refused = answer;
      if (status >= 300 && status < 400) {
        if (++redirects > MAX_REDIRECTS) throw tooManyRedirects(state.url);
        follow(state, refused);
        continue;
      }
      const body = await textOf(refused, MAX_REFUSAL_BYTES);
      if (status === 401 && !wasRefused && this.#mayHelp(body)) {
        wasRefused = true;
        continue;
      }
      const retryAfterMs = status === 429 ? this.#slowDown(refused, storms++) : undefined;
      if (retryAfterMs !== undefined && storms <= MAX_STORMS) continue;
      const requestId = refused.header('x-request-id');
      throw apiError({ ...state, status, body, requestId, retryAfterMs });
    }
  }

  /**
   * The JSON of a 2xx answer; undefined when `accept` let another status through.
   * @throws PluginError as {@link ApiClient.send}; `provider_down` with code `NOT_JSON`
   */
  async json(call: ApiCall, signal: AbortSignal): Promise<unknown> {
    await using answer = await this.send(call, signal);
    const text = await textOf(answer, MAX_JSON_BYTES);
    if (answer.status >= 300) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      const { pathname } = this.url(call.path);
      throw new PluginError(
        'provider_down',
        `Bloomberg's answer to ${pathname} is not JSON; it is tried again later`,
        { code: 'NOT_JSON', cause },
      );
    }
  }

  async #once(
    { method, url }: Target,
    { body, headers }: ApiCall,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { authorization, exchange, throttle } = this.#options;
    await throttle.take(signal);
    const proof = await authorization.headers(method, url, signal);
    const text = body === undefined || method === 'GET' ? undefined : JSON.stringify(body);
    return await exchange.send(
      {
        method,
        url,
        headers: {
          'api-version': '2',
          Accept: 'application/json',
          ...headers,
          ...proof,
          ...(text !== undefined && {
            'Content-Type': 'application/json',
            'Content-Length': `${Buffer.byteLength(text)}`,
          }),
        },
        ...(text !== undefined && { body: text }),
      },
      signal,
    );
  }

  #mayHelp(body: string): boolean {
    const serverMs = serverTimeOf(body);
    if (!this.#options.authorization.refused(serverMs)) return false;
    this.#options.logger.info({ serverMs }, 'login refused, tried once more with another token');
    return true;
  }

  /** Answers how long nobody goes now, in milliseconds. */
  #slowDown(answer: HttpAnswer, storms: number): number {
    const seconds = Number(answer.header('retry-after'));
    const wishMs = seconds > 0 ? seconds * 1000 : FIRST_PAUSE_MS * 2 ** storms;
    const pauseMs = Math.min(wishMs, LONGEST_PAUSE_MS);
    this.#options.throttle.pause(pauseMs);
    this.#options.logger.info({ pauseMs }, 'asked to slow down');
    return pauseMs;
  }
}

export interface ApiClientOptions {
  /** With a slash at its end. */
  readonly endpoint: URL;
  readonly authorization: Authorization;
  readonly throttle: Throttle;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Target {
  method: string;
  url: URL;
}

const MAX_REDIRECTS = 5;
/** 15 seconds in all, less than the host gives to one question; then the host decides. */
const MAX_STORMS = 4;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
const MAX_REFUSAL_BYTES = 1024 * 1024;
/** A page of a listing, or a universe of 80,000 securities. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

function follow(target: Target, answer: HttpAnswer): void {
  const location = answer.header('location');
  const next = location === undefined ? null : URL.parse(location, target.url);
  if (next === null || (next.protocol !== 'https:' && next.origin !== target.url.origin))
    throw new PluginError(
      'provider_down',
      `Bloomberg redirected ${target.url.pathname} to nowhere that could be asked`,
      { code: 'BAD_REDIRECT' },
    );
  target.url = next;
  if (answer.status === 303 && target.method !== 'HEAD') target.method = 'GET';
}

function tooManyRedirects({ pathname }: URL): PluginError {
  return new PluginError('provider_down', `Bloomberg redirects ${pathname} in a circle`, {
    code: 'REDIRECT_LOOP',
  });
}
