import { PluginError, type Clock } from '@octo/plugin-api';
import { type Credential, expectValid } from '../credential.ts';
import { apiError } from './api-error.ts';
import type { Authorization } from './authorization.ts';
import { type Exchange, textOf } from './exchange.ts';

/** OAuth2 client credentials: one token for many requests, renewed before it ends. */
export class ClientCredentials implements Authorization {
  readonly #options: ClientCredentialsOptions;
  #token: Promise<Token> | undefined;

  constructor(options: ClientCredentialsOptions) {
    this.#options = options;
  }

  async headers(
    _method: string,
    url: URL,
    signal: AbortSignal,
  ): Promise<{ readonly [name: string]: string }> {
    // A token of this kind is good anywhere, so it goes to the API alone, wherever a redirect may lead.
    if (url.origin !== this.#options.origin) return {};
    const { value } = await this.#current(signal);
    return { Authorization: `Bearer ${value}` };
  }

  refused(): boolean {
    const had = this.#token !== undefined;
    this.#token = undefined;
    return had;
  }

  async #current(signal: AbortSignal): Promise<Token> {
    const { clock } = this.#options;
    const asked = this.#token;
    const token = await asked?.catch(() => undefined);
    if (token !== undefined && clock.monotonic() < token.renewAtMs) return token;
    // Somebody else may have asked while we looked.
    if (this.#token === asked) this.#token = this.#ask(signal);
    try {
      return await this.#token!;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  async #ask(signal: AbortSignal): Promise<Token> {
    const { clock, credential, exchange, tokenUrl } = this.#options;
    expectValid(credential, clock.now());
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: credential.clientId,
      client_secret: credential.clientSecret,
    }).toString();
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': `${Buffer.byteLength(body)}`,
      Accept: 'application/json',
    };
    const askedMs = clock.monotonic();
    await using answer = await exchange.send(
      { method: 'POST', url: tokenUrl, headers, body },
      signal,
    );
    const text = await textOf(answer, MAX_TOKEN_BYTES);
    if (answer.status !== 200) throw refusal(tokenUrl, answer.status, text);
    return tokenIn(text, askedMs);
  }
}

export interface ClientCredentialsOptions {
  readonly credential: Credential;
  readonly tokenUrl: URL;
  /** Of the API; nobody else is shown the token. */
  readonly origin: string;
  readonly exchange: Exchange;
  readonly clock: Clock;
}

interface Token {
  readonly value: string;
  /** By the monotonic clock. */
  readonly renewAtMs: number;
}

const MAX_TOKEN_BYTES = 64 * 1024;
/** A token with less than two minutes left is renewed, but a short one not before half of its life is over. */
const RENEW_BEFORE_MS = 120_000;

function tokenIn(text: string, askedMs: number): Token {
  const { access_token: value, expires_in: seconds } = parsed(text);
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || typeof seconds !== 'number')
    throw new PluginError(
      'provider_down',
      'the token server answered without a usable access_token and expires_in; it is tried again later',
      { code: 'BAD_TOKEN_ANSWER' },
    );
  const lifeMs = seconds * 1000;
  return { value, renewAtMs: askedMs + lifeMs - Math.min(RENEW_BEFORE_MS, lifeMs / 2) };
}

function parsed(text: string): { readonly access_token?: unknown; readonly expires_in?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}

/** RFC 6749 section 5.2 answers a wrong secret with 400 as well. */
function refusal(url: URL, status: number, body: string): PluginError {
  const of = { method: 'POST', url, body, requestId: undefined };
  return apiError({ ...of, status: status === 400 ? 401 : status });
}
