import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseScopes } from '../../src/auth/scope.ts';
import { openSite, type Site } from './site.ts';

let site: Site;
let client: oauth.Client;
let secret: string;
let server: oauth.AuthorizationServer;
beforeAll(async () => {
  site = await openSite();
  const scopes = parseScopes(['runs:write:affirm-*', 'pipelines:read']);
  const { key, text } = await site.keys.create({ name: 'partner', scopes });
  client = { client_id: key.id };
  secret = text;
  server = { issuer: site.url, token_endpoint: `${site.url}/oauth/token` };
});
afterAll(() => site[Symbol.asyncDispose]());

const onLoopback = { [oauth.allowInsecureRequests]: true };

async function granted(auth: oauth.ClientAuth, wish: Record<string, string> = {}) {
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    auth,
    wish,
    onLoopback,
  );
  return await oauth.processClientCredentialsResponse(server, client, response);
}

describe.each([
  ['Basic', oauth.ClientSecretBasic],
  ['the form', oauth.ClientSecretPost],
])('a client library that is not ours, by %s', (_name, method) => {
  test('obtains a token and uses it', async () => {
    const token = await granted(method(secret));
    expect(token).toMatchObject({
      token_type: 'bearer',
      expires_in: 900,
      scope: 'runs:write:affirm-* pipelines:read',
    });
    const url = new URL(`${site.url}/v1/pipelines`);
    const answer = await oauth.protectedResourceRequest(
      token.access_token,
      'GET',
      url,
      undefined,
      undefined,
      onLoopback,
    );
    expect(((await answer.json()) as { pipelines: unknown[] }).pipelines).toHaveLength(3);
    const headers = { authorization: `Bearer ${token.access_token}` };
    const run = await site.post('/v1/runs', { pipeline: 'affirm-us' }, headers);
    expect(run.body.by).toBe(`client:${client.client_id}`);
    expect((await site.post('/v1/runs', { pipeline: 'trades' }, headers)).status).toBe(404);
  });

  test('may ask for less, and gets no more', async () => {
    const less = await granted(method(secret), { scope: 'runs:write:affirm-us' });
    expect(less.scope).toBe('runs:write:affirm-us');
    const headers = { authorization: `Bearer ${less.access_token}` };
    expect((await site.get('/v1/pipelines', headers)).status).toBe(403);
    await expect(granted(method(secret), { scope: 'admin' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
  });

  test('with a wrong secret is told that, in the words of OAuth', async () => {
    const wrong = `${secret.slice(0, -4)}AAAA`;
    const attempt = granted(method(wrong));
    await expect(attempt).rejects.toSatisfy(
      (error: unknown) =>
        (error instanceof oauth.ResponseBodyError && error.error === 'invalid_client') ||
        error instanceof oauth.WWWAuthenticateChallengeError,
    );
    expect(site.audit.entries.at(-1)).toMatchObject({ action: 'login', outcome: 'denied' });
  });
});

async function form(fields: string, headers: Record<string, string> = {}) {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(server.token_endpoint!, {
    method: 'POST',
    body: fields,
    headers: { ...type, ...headers },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

test.each([
  ['another grant', 'grant_type=password&username=x', 'unsupported_grant_type'],
  ['nobody', 'grant_type=client_credentials', 'invalid_request'],
])('%s is refused', async (_name, fields, error) => {
  expect(await form(fields)).toMatchObject({ status: 400, body: { error } });
});

test('a client that shows itself twice is refused', async () => {
  const basic = Buffer.from(`${client.client_id}:${secret}`).toString('base64');
  const fields = `grant_type=client_credentials&client_id=${client.client_id}&client_secret=${secret}`;
  const answer = await form(fields, { authorization: `Basic ${basic}` });
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
});

test('a field that comes twice is refused', async () => {
  expect((await form('grant_type=client_credentials&grant_type=x')).status).toBe(400);
});

test('a key’s secret under another client’s id is refused', async () => {
  const { key } = await site.keys.create({ name: 'other', scopes: [] });
  const fields = `grant_type=client_credentials&client_id=${key.id}&client_secret=${secret}`;
  expect(await form(fields)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
});

describe('tokens of an outside issuer', () => {
  const url = 'https://login.example.com';
  const audience = 'octo';

  async function issuer() {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] };
    const http = createServer((_request, response) => response.end(JSON.stringify(keys)));
    const { promise, resolve } = Promise.withResolvers<void>();
    http.listen(0, '127.0.0.1', resolve);
    await promise;
    const jwks = `http://127.0.0.1:${(http.address() as AddressInfo).port}/jwks`;
    const settings = { issuer: { url, audience, jwks, scopeClaim: 'permissions' } };
    const outside = await openSite(settings);
    const sign = async (
      claims: Record<string, unknown>,
      alg = 'ES256',
      key: Parameters<SignJWT['sign']>[0] = privateKey,
    ) => {
      const nowS = Math.floor(outside.clock.now() / 1000);
      const standard = {
        iss: url,
        aud: audience,
        sub: 'jane',
        iat: nowS,
        exp: nowS + 60,
        permissions: ['pipelines:read:trades', 'openid'],
      };
      const token = new SignJWT({ ...standard, ...claims }).setProtectedHeader({ alg, kid: 'one' });
      return { authorization: `Bearer ${await token.sign(key)}` };
    };
    const close = async () => {
      await outside[Symbol.asyncDispose]();
      http.close();
    };
    return { outside, sign, [Symbol.asyncDispose]: close };
  }

  test('open what their scopes say, while signature, issuer, audience and time are right', async () => {
    await using world = await issuer();
    const { outside, sign } = world;
    const good = await outside.get('/v1/pipelines', await sign({}));
    expect(good.body.pipelines.map(({ id }: { id: string }) => id)).toEqual(['trades']);
    const nowS = Math.floor(outside.clock.now() / 1000);
    const stranger = (await generateKeyPair('ES256')).privateKey;
    const wrong = [
      await sign({ aud: 'somebody-else' }),
      await sign({ iss: 'https://evil.example.com' }),
      await sign({ exp: nowS - 1 }),
      await sign({ nbf: nowS + 600 }),
      await sign({ sub: undefined }),
      await sign({ exp: undefined }),
      await sign({}, 'ES256', stranger),
      await sign({}, 'HS256', Buffer.alloc(32)),
    ];
    for (const headers of wrong)
      expect((await outside.get('/v1/pipelines', headers)).status).toBe(401);
    expect((await outside.get('/v1/runs', await sign({}))).status).toBe(403);
    expect(
      (await outside.get('/v1/pipelines', await sign({ permissions: 'pipelines:read' }))).body
        .pipelines,
    ).toHaveLength(3);
  });
});
