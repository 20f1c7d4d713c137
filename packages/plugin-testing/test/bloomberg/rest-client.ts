/** A client of the loopback REST server that can be made to do everything wrong. */
import { createHmac, randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { BloombergRest } from '../../src/index.ts';

export interface CallOptions {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: unknown;
  /** Claims that are other than they should be; `undefined` leaves one out. */
  readonly claims?: { readonly [name: string]: unknown };
  /** The time of the claims, in ms. */
  readonly nowMs?: number;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON. */
  readonly json: () => { readonly [name: string]: unknown };
}

/** A call with a good token, as far as the options do not say otherwise. */
export async function call(
  rest: BloombergRest,
  path: string,
  { method = 'GET', headers = {}, body, claims = {}, nowMs = Date.now() }: CallOptions = {},
): Promise<Answered> {
  const url = new URL(`${rest.url}${path}`);
  const token = tokenFor(rest, { method, url, nowMs, claims });
  const typed = body === undefined ? {} : { 'content-type': 'application/json' };
  const sent = { jwt: token, 'api-version': '2', ...typed, ...headers };
  return rawCall(url, { method, headers: sent, body });
}

export function tokenFor(
  rest: BloombergRest,
  { method, url, nowMs, claims = {} }: TokenOptions,
): string {
  const nowSeconds = Math.floor(nowMs / 1000);
  return signedToken(
    {
      iss: rest.credential.client_id,
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: nowSeconds + 30,
      region: 'default',
      path: url.pathname,
      method,
      host: url.hostname,
      jti: randomUUID(),
      ...claims,
    },
    Buffer.from(rest.credential.client_secret, 'hex'),
  );
}

interface TokenOptions {
  readonly method: string;
  readonly url: URL;
  readonly nowMs: number;
  readonly claims?: { readonly [name: string]: unknown };
}

export function signedToken(
  claims: object,
  key: Buffer | string,
  header: object = { typ: 'JWT', alg: 'HS256' },
): string {
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** By node:http, because `fetch` decodes gzip and follows redirects. */
export async function rawCall(
  url: URL,
  { method = 'GET', headers = {}, body }: Omit<CallOptions, 'claims' | 'nowMs'> = {},
): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const sent = httpRequest(url, { method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const { statusCode: status = 0 } = response;
      const json = () => JSON.parse(bytes.toString()) as { [name: string]: unknown };
      resolve({ status, headers: response.headers, bytes, json });
    });
  });
  sent.on('error', reject);
  sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  return promise;
}
