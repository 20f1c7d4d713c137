/** The gateway's check of a self-signed token: HS256 over exactly the claims that this very call must have. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { BloombergCredential } from './credential.ts';
import { GatewayRefusal } from './rest-refusal.ts';

/** What a token must fit. */
export interface TokenOccasion {
  readonly method: string;
  /** As sent, without query. */
  readonly path: string;
  /** Without port. */
  readonly host: string;
  readonly nowMs: number;
}

type Claims = { readonly [name: string]: unknown };

/** Remembers which tokens were used. */
export class TokenCheck {
  readonly #credential: BloombergCredential;
  /** When each `jti` that was seen may be forgotten, in seconds. */
  readonly #used = new Map<string, number>();

  constructor(credential: BloombergCredential) {
    this.#credential = credential;
  }

  /** @throws GatewayRefusal 401, which says what is wrong with the token */
  spend(token: string, occasion: TokenOccasion): void {
    const claims = this.#signed(token);
    const nowSeconds = occasion.nowMs / 1000;
    const problem = problemOf(claims, occasion, this.#credential);
    if (problem !== undefined) throw refused(problem);
    this.#spendOnce(String(claims['jti']), Number(claims['exp']), nowSeconds);
  }

  #signed(token: string): Claims {
    const parts = token.split('.');
    const [head, body, signature] = parts;
    if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part))) {
      throw refused('the token is not three base64url parts');
    }
    if (objectIn(head ?? '')['alg'] !== 'HS256')
      throw refused('the token is not signed with HS256');
    const { client_secret: secret } = this.#credential;
    const signedWith = (key: Buffer | string) =>
      same(
        createHmac('sha256', key).update(`${head}.${body}`).digest('base64url'),
        signature ?? '',
      );
    if (signedWith(Buffer.from(secret, 'hex'))) return objectIn(body ?? '');
    if (signedWith(secret)) throw refused('the secret was not decoded from hexadecimal');
    throw refused('the signature is wrong');
  }

  #spendOnce(jti: string, exp: number, nowSeconds: number): void {
    for (const [old, until] of this.#used) {
      if (until <= nowSeconds) this.#used.delete(old);
    }
    if (this.#used.has(jti)) throw refused('the jti was used before');
    this.#used.set(jti, exp);
  }
}

/** Clients take up to three minutes for the difference of the clocks, on either side, and half a minute for the call. */
const MAX_LIFE_SECONDS = 400;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What is wrong with the claims first of all. */
function problemOf(
  claims: Claims,
  { method, path, host, nowMs }: TokenOccasion,
  credential: BloombergCredential,
): string | undefined {
  const { iss, iat, nbf, exp, jti, region } = claims;
  const now = nowMs / 1000;
  const times = isSeconds(iat) && isSeconds(nbf) && isSeconds(exp) ? { iat, nbf, exp } : undefined;
  if (times === undefined) return 'iat, nbf and exp must be whole seconds';
  const problems: readonly (readonly [isSo: boolean, problem: string])[] = [
    [iss !== credential.client_id, 'iss is not the client id'],
    [region !== 'default', 'region is not default'],
    [claims['method'] !== method, 'method is not the one of this call'],
    [claims['host'] !== host, 'host is not the name of this host, without port'],
    [claims['path'] !== path, 'path is not the one of this call, as sent and without query'],
    [times.exp <= times.iat, 'exp is not after iat'],
    [times.exp - times.iat > MAX_LIFE_SECONDS, 'exp is too long after iat'],
    [Math.max(times.iat, times.nbf) > now, 'the token is not valid yet'],
    [times.exp <= now, 'the token has expired'],
    [typeof jti !== 'string' || !UUID.test(jti), 'jti is not a UUID'],
  ];
  return problems.find(([isSo]) => isSo)?.[1];
}

function isSeconds(value: unknown): value is number {
  return Number.isInteger(value);
}

function objectIn(part: string): Claims {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Claims;
  } catch {
    // Told below, as any other value.
  }
  throw refused('a part of the token is no JSON object');
}

function same(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

function refused(why: string): GatewayRefusal {
  return new GatewayRefusal(401, `Invalid token: ${why}.`);
}
