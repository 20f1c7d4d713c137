import { randomUUID } from 'node:crypto';
import type { Clock } from '@octo/plugin-api';
import { type Credential, expectValid } from '../credential.ts';
import { requestToken } from './json-web-token.ts';
import type { ServerClock } from './server-clock.ts';

/** What proves to Bloomberg who is asking. */
export interface Authorization {
  /**
   * The headers for one request.
   * @throws PluginError `auth` when the credential is no good any more
   */
  headers(
    method: string,
    url: URL,
    signal: AbortSignal,
  ): Promise<{ readonly [name: string]: string }>;
  /** A request was refused: forget what was agreed on. Answers whether asking again may help. */
  refused(serverMs: number | undefined): boolean;
}

/** A signed token for each request. */
export class SignedRequests implements Authorization {
  readonly #credential: Credential;
  readonly #clock: Clock;
  readonly #serverClock: ServerClock;
  readonly #uuid: () => string;

  constructor(options: SignedRequestsOptions) {
    this.#credential = options.credential;
    this.#clock = options.clock;
    this.#serverClock = options.serverClock;
    this.#uuid = options.uuid ?? randomUUID;
  }

  async headers(method: string, url: URL): Promise<{ readonly [name: string]: string }> {
    expectValid(this.#credential, this.#clock.now());
    const nowMs = this.#serverClock.now();
    return { JWT: requestToken(this.#credential, { method, url, nowMs, id: this.#uuid() }) };
  }

  refused(serverMs: number | undefined): boolean {
    return serverMs !== undefined && this.#serverClock.correct(serverMs);
  }
}

export interface SignedRequestsOptions {
  readonly credential: Credential;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  /** Default: random ones. */
  readonly uuid?: () => string;
}
