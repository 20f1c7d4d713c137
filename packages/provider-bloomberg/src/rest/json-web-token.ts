import { createHmac } from 'node:crypto';
import type { Credential } from '../credential.ts';

export interface TokenRequest {
  readonly method: string;
  readonly url: URL;
  /** The server's time, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** A fresh UUID: Bloomberg takes each token once. */
  readonly id: string;
}

/** How far the clocks may be apart without anybody noticing. Bloomberg's own clients allow for the same. */
const SKEW_SECONDS = 180;
const LIFE_SECONDS = 30;

/**
 * The token that vouches for one request: it names method, host and path (as sent, percent-encoded, without the query),
 * and is signed with the bytes that the hexadecimal secret stands for.
 */
export function requestToken(credential: Credential, request: TokenRequest): string {
  const { method, url, nowMs, id } = request;
  const now = Math.floor(nowMs / 1000);
  const claims = {
    iss: credential.clientId,
    iat: now - SKEW_SECONDS,
    nbf: now - SKEW_SECONDS,
    exp: now + LIFE_SECONDS,
    region: 'default',
    path: url.pathname,
    method: method.toUpperCase(),
    host: url.hostname,
    jti: id,
  };
  return signedToken(JSON.stringify(HEADER), JSON.stringify(claims), credential.key);
}

/** JWS compact serialisation with HMAC-SHA-256, RFC 7515 section 3.1. */
export function signedToken(header: string, payload: string, key: Uint8Array): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

const HEADER = { typ: 'JWT', alg: 'HS256' };

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
