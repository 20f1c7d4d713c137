import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BloombergRest, ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { credentialOf, parseCredential } from '../../src/credential.ts';
import { ApiClient } from '../../src/rest/api-client.ts';
import { ClientCredentials } from '../../src/rest/client-credentials.ts';
import { Exchange } from '../../src/rest/exchange.ts';
import { Throttle } from '../../src/throttle.ts';
import { bloomberg, failureOf, never } from './loopback.ts';

const CATALOGS = { path: 'catalogs/' };
const MINUTE_MS = 60_000;

test('one token serves until two minutes before its end, also for calls at the same time', async () => {
  const clock = new ManualClock(Date.now());
  const server = await bloomberg({ clock, accessTokenMs: 30 * MINUTE_MS });
  const client = clientOf(server, clock);
  await Promise.all([client.json(CATALOGS, never), client.json(CATALOGS, never)]);
  await clock.advance(27.9 * MINUTE_MS);
  await client.json(CATALOGS, never);
  expect(tokens(server).size).toBe(1);
  await clock.advance(0.2 * MINUTE_MS);
  await client.json(CATALOGS, never);
  expect(tokens(server).size).toBe(2);
  expect(statuses(server)).not.toContain(401);
});

test('a token that is refused although it should be good is had again, once', async () => {
  const clock = new ManualClock(Date.now());
  const server = await bloomberg({ clock });
  const client = clientOf(server, clock);
  await client.json(CATALOGS, never);
  server.faults.status('/eap/catalogs/', 401);
  await client.json(CATALOGS, never);
  expect(tokens(server).size).toBe(2);
  server.faults.status('/eap/catalogs/', 401, 2);
  expect(await failureOf(client.json(CATALOGS, never))).toMatchObject({ type: 'auth' });
});

test('a wrong secret is refused as a login, and is in no message', async () => {
  const clock = new ManualClock(Date.now());
  const server = await bloomberg({ clock });
  const secret = 'ff'.repeat(32);
  const credential = credentialOf(server.credential.client_id, secret);
  const error = await failureOf(clientOf(server, clock, { credential }).json(CATALOGS, never));
  expect(error).toMatchObject({ type: 'auth', code: 'LOGIN_REFUSED' });
  expect(error.message).not.toContain(secret);
});

test('a server that closes the connection at an address that it does not allow is an error of the network', async () => {
  const clock = new ManualClock(Date.now());
  const server = await bloomberg({ clock });
  server.faults.addressNotAllowed = true;
  const error = await failureOf(clientOf(server, clock).json(CATALOGS, never));
  expect(error.type).toBe('network');
});

test('the token is shown to the API alone, wherever a redirect leads', async () => {
  const clock = new ManualClock(Date.now());
  const server = await bloomberg({ clock });
  const seen: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end('{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void stranger.close());
  await new Promise((resolve) => stranger.once('listening', resolve));
  const exchange = new Exchange({ clock });
  onTestFinished(() => exchange[Symbol.asyncDispose]());
  const authorization = authorizationOf(server, clock, exchange);
  const { port } = stranger.address() as AddressInfo;
  const elsewhere = new URL(`http://127.0.0.1:${port}/`);
  expect(await authorization.headers('GET', elsewhere, never)).toEqual({});
  expect(await authorization.headers('GET', new URL(server.url), never)).toEqual({
    Authorization: expect.stringMatching(/^Bearer /),
  });
  expect(seen).toEqual([]);
});

test.each(['', 'null', '[]', '{"access_token":"a b","expires_in":60}', '{"access_token":"a"}'])(
  'an answer without a usable token (%j) is the fault of the other side',
  async (body) => {
    const clock = new ManualClock(Date.now());
    const server = await bloomberg({ clock });
    const odd = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
    onTestFinished(() => void odd.close());
    await new Promise((resolve) => odd.once('listening', resolve));
    const tokenUrl = new URL(`http://127.0.0.1:${(odd.address() as AddressInfo).port}/`);
    const error = await failureOf(clientOf(server, clock, { tokenUrl }).json(CATALOGS, never));
    expect(error).toMatchObject({ type: 'provider_down', code: 'BAD_TOKEN_ANSWER' });
  },
);

type Change = Partial<ConstructorParameters<typeof ClientCredentials>[0]>;

function clientOf(server: BloombergRest, clock: ManualClock, change: Change = {}): ApiClient {
  const exchange = new Exchange({ clock });
  onTestFinished(() => exchange[Symbol.asyncDispose]());
  return new ApiClient({
    endpoint: new URL(`${server.url}/`),
    authorization: authorizationOf(server, clock, exchange, change),
    throttle: new Throttle({ clock, perSecond: 1000, burst: 1000 }),
    exchange,
    clock,
    logger: new RecordingLogger(),
  });
}

function authorizationOf(
  server: BloombergRest,
  clock: ManualClock,
  exchange: Exchange,
  change: Change = {},
): ClientCredentials {
  return new ClientCredentials({
    credential: parseCredential(JSON.stringify(server.credential)),
    tokenUrl: new URL(server.oauthUrl),
    origin: new URL(server.url).origin,
    exchange,
    clock,
    ...change,
  });
}

function tokens(server: BloombergRest): Set<string | undefined> {
  const calls = server.calls.filter(({ path }) => path === '/eap/catalogs/');
  return new Set(calls.map(({ headers }) => headers['authorization']));
}

function statuses(server: BloombergRest): number[] {
  return server.calls.map(({ status }) => status);
}
