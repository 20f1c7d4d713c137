import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ManualClock, startBloombergRest, type BloombergRest } from '../../src/index.ts';
import { call, rawCall, signedToken, tokenFor, type CallOptions } from './rest-client.ts';

const clock = new ManualClock(Date.UTC(2026, 0, 15, 22));
let rest: BloombergRest;
beforeAll(async () => {
  rest = await startBloombergRest({ clock });
});
afterEach(() => rest.faults.reset());
afterAll(() => rest[Symbol.asyncDispose]());

const nowSeconds = () => Math.floor(clock.now() / 1000);
const asked = (options: CallOptions = {}, path = '/catalogs/') =>
  call(rest, path, { nowMs: clock.now(), ...options });

test('a good token lets a call in', async () => {
  const { headers, status } = await asked();
  expect(status).toBe(200);
  expect(headers['latest-api-version']).toBe('2');
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers['date']).toBe(new Date(clock.now()).toUTCString());
});

test('the answer of the gateway has its own envelope, with the time of the server', async () => {
  rest.faults.skewMs = 60_000;
  const { json, status } = await rawCall(new URL(`${rest.url}/catalogs/`));
  expect(status).toBe(401);
  expect(json()).toEqual({
    error: 'unauthorized_client',
    error_description: 'No definition of jwt found in header or query string.',
    errors: [
      {
        id: expect.any(String),
        title: 'Unauthorized',
        detail: 'No definition of jwt found in header or query string.',
        status: '401',
        errorCode: 'unauthorized-client',
        meta: { 'server-time': new Date(clock.now() + 60_000).toISOString() },
      },
    ],
  });
});

test.for([
  ['another client', () => ({ iss: 'other' }), 'iss'],
  ['no client', () => ({ iss: undefined }), 'iss'],
  ['another region', () => ({ region: 'ny' }), 'region'],
  ['a lower-case method', () => ({ method: 'get' }), 'method'],
  ['the port in its host', () => ({ host: `127.0.0.1:${rest.port}` }), 'host'],
  ['another path', () => ({ path: '/eap/' }), 'path'],
  ['the query in its path', () => ({ path: '/eap/catalogs/?page=1' }), 'path'],
  ['times in milliseconds', () => ({ exp: clock.now() + 0.5 }), 'whole seconds'],
  ['no beginning', () => ({ nbf: undefined }), 'whole seconds'],
  ['its end before its beginning', () => ({ exp: nowSeconds() - 200 }), 'exp is not after'],
  ['an hour to live', () => ({ exp: nowSeconds() + 3600 }), 'too long'],
  ['a beginning in the future', () => ({ nbf: nowSeconds() + 5 }), 'not valid yet'],
  ['its end behind it', () => ({ iat: nowSeconds() - 60, exp: nowSeconds() - 1 }), 'expired'],
  ['a jti that is no UUID', () => ({ jti: '1' }), 'jti'],
  ['no jti', () => ({ jti: undefined }), 'jti'],
] as const)('a token with %s is refused', async ([, claims, problem]) => {
  const { json, status } = await asked({ claims: claims() }, '/catalogs/?page=1');
  expect(status).toBe(401);
  expect(json()['error_description']).toContain(problem);
});

test('a token is good for one call', async () => {
  const claims = { jti: '00000000-0000-4000-8000-000000000001' };
  expect((await asked({ claims })).status).toBe(200);
  const again = await asked({ claims });
  expect(again.status).toBe(401);
  expect(rest.calls.at(-1)?.reason).toContain('used before');
});

test('the path of a token is percent-encoded as it is sent', async () => {
  const path = '/catalogs/1234/content/responses/a%20b.csv';
  const claims = { path: '/eap/catalogs/1234/content/responses/a b.csv' };
  expect((await asked({ claims }, path)).status).toBe(401);
  expect((await asked({}, path)).status).toBe(404);
});

test.for([
  ['signed with the secret as text', (rest: BloombergRest) => rest.credential.client_secret, {}],
  ['signed with another secret', () => Buffer.alloc(32), {}],
] as const)('a token %s is refused', async ([, keyOf]) => {
  const url = new URL(`${rest.url}/catalogs/`);
  const [head = '', body = ''] = tokenFor(rest, { method: 'GET', url, nowMs: clock.now() }).split(
    '.',
  );
  const signature = createHmac('sha256', keyOf(rest)).update(`${head}.${body}`).digest('base64url');
  const jwt = `${head}.${body}.${signature}`;
  expect((await rawCall(url, { headers: { jwt, 'api-version': '2' } })).status).toBe(401);
});

test.for([{ alg: 'none' }, { alg: 'HS512' }, {}])(
  'a token with the header %j is refused',
  async (header) => {
    const url = new URL(`${rest.url}/catalogs/`);
    const key = Buffer.from(rest.credential.client_secret, 'hex');
    const token = tokenFor(rest, { method: 'GET', url, nowMs: clock.now() });
    const claims = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
    ) as object;
    const jwt = signedToken(claims, key, header);
    const { json, status } = await rawCall(url, { headers: { jwt, 'api-version': '2' } });
    expect(status).toBe(401);
    expect(json()['error_description']).toContain('HS256');
  },
);

test.for(['', 'a.b', 'a.b.c.d', 'a.b.c=', 'YQ.YQ.YQ'])('%j is no token', async (jwt) => {
  const url = new URL(`${rest.url}/catalogs/`);
  expect((await rawCall(url, { headers: { jwt, 'api-version': '2' } })).status).toBe(401);
});

test('a server whose clock is behind refuses tokens of now, and takes those of its own time', async () => {
  rest.faults.skewMs = -120_000;
  expect((await asked()).status).toBe(401);
  expect((await asked({ nowMs: clock.now() - 120_000 })).status).toBe(200);
});

test('an expired credential is refused, by order or by its date', async () => {
  rest.faults.expiredCredential = true;
  expect((await asked()).json()['error_description']).toContain('expired');
  const past = { expiration_date: clock.now() };
  await using other = await startBloombergRest({ clock, credential: past });
  expect((await call(other, '/catalogs/', { nowMs: clock.now() })).status).toBe(401);
});

test('from an address that is not allowed nobody comes in', async () => {
  rest.faults.addressNotAllowed = true;
  expect((await asked()).status).toBe(401);
  await expect(rawCall(new URL(rest.oauthUrl), { method: 'POST' })).rejects.toThrow(
    /hang up|ECONNRESET/,
  );
});

test.for([undefined, '1', '3', 'two'])(
  'the api-version %j is refused by the service',
  async (version) => {
    const url = new URL(`${rest.url}/catalogs/`);
    const jwt = tokenFor(rest, { method: 'GET', url, nowMs: clock.now() });
    const headers = { jwt, ...(version !== undefined && { 'api-version': version }) };
    const { json, status } = await rawCall(url, { headers });
    expect(status).toBe(400);
    expect(json()).toMatchObject({
      '@context': { '@vocab': 'https://api.bloomberg.com/eap/ontology#' },
      '@type': 'Status',
      statusCode: 400,
      title: 'Bad Request',
      errors: [{ source: { pointer: 'api-version', location: 'header' } }],
    });
  },
);

const form = (fields: { readonly [name: string]: string } = {}) =>
  new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: rest.credential.client_id,
    client_secret: rest.credential.client_secret,
    ...fields,
  }).toString();
const askForToken = (body: string, type = 'application/x-www-form-urlencoded') =>
  rawCall(new URL(rest.oauthUrl), { method: 'POST', headers: { 'content-type': type }, body });

test('an access token lets calls in until it ends', async () => {
  const { json } = await askForToken(form());
  const { access_token: token, ...told } = json();
  expect(told).toEqual({ token_type: 'Bearer', expires_in: 1800 });
  const url = new URL(`${rest.url}/catalogs/`);
  const headers = { authorization: `Bearer ${String(token)}`, 'api-version': '2' };
  expect((await rawCall(url, { headers })).status).toBe(200);
  expect((await rawCall(url, { headers })).status).toBe(200);
  await clock.advance(1_800_000);
  expect((await rawCall(url, { headers })).status).toBe(401);
  const unknown = { ...headers, authorization: 'Bearer other' };
  expect((await rawCall(url, { headers: unknown })).status).toBe(401);
});

test.for([
  [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
  [{ client_secret: 'no' }, 401, 'invalid_client'],
  [{ client_id: 'no' }, 401, 'invalid_client'],
] as const)('a form with %j is refused', async ([fields, status, error]) => {
  const answer = await askForToken(form(fields));
  expect(answer.status).toBe(status);
  expect(answer.json()).toMatchObject({ error });
});

test('a token is asked for with a form, by POST', async () => {
  expect((await askForToken(form(), 'application/json')).status).toBe(400);
  expect((await rawCall(new URL(rest.oauthUrl))).status).toBe(405);
});
