/** The OAuth host: access tokens for a client's id and secret, good for a while. */
import { randomBytes } from 'node:crypto';
import type { BloombergCredential } from './credential.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import { GatewayRefusal } from './rest-refusal.ts';

export const TOKEN_PATH = '/ext/api/as/token.oauth2';

export class AccessTokens {
  /** How long further tokens are good. */
  lifeMs: number;
  readonly #credential: BloombergCredential;
  /** When each one ends. */
  readonly #issued = new Map<string, number>();

  constructor(credential: BloombergCredential, lifeMs: number) {
    this.#credential = credential;
    this.lifeMs = lifeMs;
  }

  /** Answers a call of {@link TOKEN_PATH}, as RFC 6749 has it. */
  async issue(call: RestCall, nowMs: number): Promise<RestAnswer> {
    if (call.method !== 'POST') return refused(405, 'invalid_request');
    if (!/^application\/x-www-form-urlencoded\b/.test(call.headers['content-type'] ?? '')) {
      return refused(400, 'invalid_request');
    }
    const form = new URLSearchParams(await call.text());
    if (form.get('grant_type') !== 'client_credentials') {
      return refused(400, 'unsupported_grant_type');
    }
    const { client_id: id, client_secret: secret, expiration_date: until } = this.#credential;
    const isKnown = form.get('client_id') === id && form.get('client_secret') === secret;
    if (!isKnown || nowMs >= until) return refused(401, 'invalid_client');
    const token = randomBytes(24).toString('base64url');
    this.#issued.set(token, nowMs + this.lifeMs);
    const expires = Math.floor(this.lifeMs / 1000);
    const body = { access_token: token, token_type: 'Bearer', expires_in: expires };
    return { status: 200, headers: { 'cache-control': 'no-store' }, body };
  }

  /** @returns when the token ends. @throws GatewayRefusal 401 */
  check(authorization: string, nowMs: number): number {
    const token = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? '';
    const until = this.#issued.get(token);
    if (until === undefined) throw new GatewayRefusal(401, 'The access token is not known.');
    if (until <= nowMs) throw new GatewayRefusal(401, 'The access token has expired.');
    return until;
  }
}

function refused(status: number, error: string): RestAnswer {
  return { status, body: { error, error_description: 'Refused.' } };
}
