import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { bloomberg, clientOf, failureOf, never } from './loopback.ts';

const CATALOGS = { path: 'catalogs/' };

test('each request has a token of its own, for its method and path without the query', async () => {
  const server = await bloomberg();
  const client = clientOf(server);
  for (let i = 0; i < 3; i++) await client.json({ ...CATALOGS, query: { page: '1' } }, never);
  expect(server.calls.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(new Set(server.calls.map(({ headers }) => headers['jwt'])).size).toBe(3);
  expect(server.calls[0]?.headers['api-version']).toBe('2');
});

test('a redirect is followed with a new token', async () => {
  const server = await bloomberg();
  server.publish({ key: 'a-20260115.csv', body: 'a' });
  server.faults.redirect('/eap/catalogs/', `/eap/catalogs/${server.account}/content/responses/`);
  const body = await clientOf(server).json(CATALOGS, never);
  expect(body).toMatchObject({ '@type': 'ResponseCollection' });
  expect(server.calls.map(({ status }) => status)).toEqual([307, 200]);
});

test('a 303 is followed by a GET without the body, a 307 by the same again', async () => {
  const seen: string[] = [];
  const endpoint = await stranger((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['content-length'] ?? 'none'}`);
    if (request.url === '/catalogs/') response.writeHead(307, { location: '/moved/' }).end();
    else if (request.url === '/moved/') response.writeHead(303, { location: '/made/' }).end();
    else response.end('{}');
  });
  const server = await bloomberg();
  const client = clientOf(server, { endpoint });
  await client.json({ ...CATALOGS, method: 'POST', body: { a: 1 } }, never);
  expect(seen).toEqual(['POST /catalogs/ 7', 'POST /moved/ 7', 'GET /made/ none']);
});

test('redirects in a circle end', async () => {
  const server = await bloomberg();
  server.faults.redirect('/eap/catalogs/', '/eap/catalogs/', 100);
  const error = await failureOf(clientOf(server).json(CATALOGS, never));
  expect(error).toMatchObject({ type: 'provider_down', code: 'REDIRECT_LOOP' });
  expect(server.calls).toHaveLength(6);
});

test('no redirect leads out of the encrypted into the plain', async () => {
  const server = await bloomberg();
  server.faults.redirect('/eap/catalogs/', 'http://127.0.0.2:9/eap/catalogs/');
  const error = await failureOf(clientOf(server).json(CATALOGS, never));
  expect(error).toMatchObject({ type: 'provider_down', code: 'BAD_REDIRECT' });
});

test.each([-3_600_000, 3_600_000])(
  'a clock that is %i ms off is corrected once',
  async (skewMs) => {
    const server = await bloomberg();
    server.faults.skewMs = skewMs;
    const client = clientOf(server);
    await client.json(CATALOGS, never);
    await client.json(CATALOGS, never);
    expect(server.calls.map(({ status }) => status)).toEqual([401, 200, 200]);
  },
);

test.each([-150_000, 170_000])('a clock that is %i ms off needs no correction', async (skewMs) => {
  const server = await bloomberg();
  // The server is behind: our token is from its future. It is ahead: our token is old.
  server.faults.skewMs = skewMs < 0 ? skewMs : 20_000;
  await clientOf(server).json(CATALOGS, never);
  expect(server.calls.map(({ status }) => status)).toEqual([200]);
});

test('a login that is refused although the clocks agree is refused for good', async () => {
  const server = await bloomberg();
  server.faults.expiredCredential = true;
  const error = await failureOf(clientOf(server).json(CATALOGS, never));
  expect(error).toMatchObject({ type: 'auth', code: 'LOGIN_REFUSED' });
  expect(error.message).toContain('allow-list');
  expect(server.calls).toHaveLength(1);
});

test('a storm of 429 is sat out, each pause twice as long as the last', async () => {
  const clock = new ManualClock(Date.now());
  const server = await bloomberg({ clock });
  server.faults.tooMany({ after: 0, count: 4 });
  const logger = new RecordingLogger();
  const answered = clientOf(server, { clock, logger }).json(CATALOGS, never);
  for (const pauseMs of [1000, 2000, 4000, 8000]) {
    // The pause, and the deadline of the answer that was there already is gone.
    await clock.untilSleeping(1);
    while (logger.entries.length < Math.log2(pauseMs / 1000) + 1) await clock.advance(0);
    await clock.advance(pauseMs);
  }
  expect(await answered).toMatchObject({ contains: expect.anything() as unknown });
  expect(logger.entries.map(({ fields }) => fields['pauseMs'])).toEqual([1000, 2000, 4000, 8000]);
});

test('a storm that does not end is told, with its type', async () => {
  const server = await bloomberg();
  server.faults.tooMany({ after: 0, count: 1000 });
  const error = await failureOf(clientOf(server).json(CATALOGS, never));
  expect(error).toMatchObject({
    type: 'rate_limit',
    code: 'TOO_MANY_REQUESTS',
    retryAfterMs: 16_000,
  });
  expect(server.calls).toHaveLength(5);
});

test('a pause that the server asks for is kept', async () => {
  const server = await bloomberg();
  server.faults.tooMany({ after: 0, count: 1, retryAfterSeconds: 7 });
  const logger = new RecordingLogger();
  await clientOf(server, { logger }).json(CATALOGS, never);
  expect(logger.entries.map(({ fields }) => fields['pauseMs'])).toEqual([7000]);
});

test.each([
  [403, 'auth', 'NOT_ENTITLED'],
  [404, 'not_found', 'NO_SUCH_THING'],
  [500, 'provider_down', 'API_DOWN'],
])('%i is %s', async (status, type, code) => {
  const server = await bloomberg();
  server.faults.status('/eap/catalogs/', status);
  const error = await failureOf(clientOf(server).json(CATALOGS, never));
  expect(error).toMatchObject({ type, code });
  expect(error.message).toContain('/eap/catalogs/');
});

test('an answer that is not JSON is the fault of the other side', async () => {
  const endpoint = await stranger((_, response) => response.end('<html>'));
  const server = await bloomberg();
  const error = await failureOf(clientOf(server, { endpoint }).json(CATALOGS, never));
  expect(error).toMatchObject({ type: 'provider_down', code: 'NOT_JSON' });
});

test('nobody listening, and nobody answering, are errors of the network', async () => {
  const server = await bloomberg();
  const endpoint = await stranger(() => {});
  const silent = clientOf(server, { endpoint, answerMs: 30 });
  expect(await failureOf(silent.json(CATALOGS, never))).toMatchObject({
    type: 'network',
    code: 'TIMEOUT',
  });
  const client = clientOf(server);
  await server[Symbol.asyncDispose]();
  const error = await failureOf(client.json(CATALOGS, never));
  expect(error).toMatchObject({ type: 'network', code: 'ECONNREFUSED' });
});

test('an aborted call ends with the reason, whatever it waits for', async () => {
  const server = await bloomberg();
  const reason = new Error('the run was stopped');
  const endpoint = await stranger(() => stop.abort(reason));
  const stop = new AbortController();
  const client = clientOf(server, { endpoint });
  await expect(client.json(CATALOGS, stop.signal)).rejects.toBe(reason);
  await expect(client.json(CATALOGS, stop.signal)).rejects.toBe(reason);
});

/** A server that is not Bloomberg. */
async function stranger(answer: Parameters<typeof createServer>[1] & object): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
