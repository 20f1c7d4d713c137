import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { APP_DEFAULTS, buildApp } from '../../src/api/build-app.ts';
import { noAudit } from '../../src/audit/audit-trail.ts';
import { openSite, type Site } from './site.ts';

let site: Site;
let bearer: string;
beforeAll(async () => {
  site = await openSite();
  bearer = (await site.headers('admin'))['authorization']!;
});
afterAll(() => site[Symbol.asyncDispose]());

/** Sends bytes as they are; all that comes back until the host closes. */
async function raw(port: number, ...pieces: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<void>();
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => (answer += text));
  socket.on('close', () => resolve());
  socket.on('error', () => undefined);
  for (const piece of pieces) socket.write(piece, 'latin1');
  await promise;
  return answer;
}

/** The status of each answer on the connection. */
function statuses(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

const post = (more: string, body: string) =>
  `POST /v1/runs HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer}\r\ncontent-type: application/json\r\n${more}\r\n${body}`;
const SMUGGLED = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';

describe('a request that two readers could read in two ways is refused, and what it hides is not read', () => {
  test.each([
    [
      'Content-Length and Transfer-Encoding',
      () => post('content-length: 4\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'Transfer-Encoding and Content-Length',
      () => post('transfer-encoding: chunked\r\ncontent-length: 4\r\n', `5c\r\n${SMUGGLED}`),
    ],
    ['two Content-Lengths', () => post('content-length: 0\r\ncontent-length: 60\r\n', SMUGGLED)],
    ['two Content-Lengths in one', () => post('content-length: 0, 60\r\n', SMUGGLED)],
    ['a Content-Length with a sign', () => post('content-length: +0\r\n', SMUGGLED)],
    [
      'a Transfer-Encoding that is not known',
      () => post('transfer-encoding: xchunked\r\n', SMUGGLED),
    ],
    [
      'two Transfer-Encodings',
      () =>
        post(
          'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n',
          `0\r\n\r\n${SMUGGLED}`,
        ),
    ],
    [
      'a folded Transfer-Encoding',
      () => post('transfer-encoding:\r\n chunked, x\r\n', `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'a space before the colon',
      () => post('transfer-encoding : chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    ],
    ['a bare line feed after a header', () => post('x: y\ncontent-length: 0\r\n', SMUGGLED)],
    ['a bare carriage return', () => post('x: y\rz: 1\r\ncontent-length: 0\r\n', SMUGGLED)],
    ['a NUL in a header', () => post('x: a\0b\r\ncontent-length: 0\r\n', SMUGGLED)],
    [
      'a chunk whose size is not a number',
      () => post('transfer-encoding: chunked\r\n', `zz\r\n${SMUGGLED}`),
    ],
    [
      'a chunk with a bare line feed',
      () => post('transfer-encoding: chunked\r\n', `0\n\n${SMUGGLED}`),
    ],
    ['no version', () => 'GET /healthz\r\n\r\n'],
    ['another protocol', () => 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['no host', () => 'GET /healthz HTTP/1.1\r\n\r\n'],
  ])('%s', async (_name, request) => {
    const answer = await raw(site.port, request());
    // Node closes at once after an error of its parser; one answer is all there is.
    expect(statuses(answer)).toEqual([400]);
    expect(answer).not.toContain('"status":"ok"');
  });
});

test('headers that are too large are refused with a problem', async () => {
  const answer = await raw(
    site.port,
    `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
  );
  expect(statuses(answer)).toEqual([431]);
  expect(answer).toContain('application/problem+json');
});

test.each([
  ['a path with NUL', '/v1/runs/%00'],
  ['a file whose id is NUL', '/v1/files/%00'],
  ['a path that is not UTF-8', '/v1/runs/%ff'],
  ['a broken escape', '/v1/runs/%zz'],
  ['a way out', '/v1/files/../../etc/passwd'],
  ['an encoded way out', '/v1/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd'],
  ['a doubly encoded one', '/v1/files/%252e%252e%252fetc'],
  ['a parameter of Java', '/v1/..;/admin/stats'],
  ['a UNC path', '/v1/plugins/%5C%5Cserver%5Cshare'],
  ['a very long id', `/v1/runs/${'a'.repeat(300)}`],
  ['a second slash', '//v1/runs'],
])('%s leads nowhere', async (_name, path) => {
  const answer = await raw(
    site.port,
    `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer}\r\nconnection: close\r\n\r\n`,
  );
  expect([400, 404]).toContain(statuses(answer)[0]);
  expect(answer).toContain('application/problem+json');
});

test('a body that is too large is refused', async () => {
  const body = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });
  const headers = { authorization: bearer, 'content-type': 'application/json' };
  const answer = await fetch(`${site.url}/v1/manifest/plan`, { method: 'POST', body, headers });
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ code: 'OCTO_API_TOO_LARGE' });
});

test('what is nested too deeply is refused for that, before a parser sees it', async () => {
  const headers = { authorization: bearer, 'content-type': 'application/json' };
  const ask = async (levels: number) => {
    const body = '['.repeat(levels) + ']'.repeat(levels);
    const answer = await fetch(`${site.url}/v1/runs`, { method: 'POST', body, headers });
    return ((await answer.json()) as { detail: string }).detail;
  };
  expect(await ask(65)).toContain('nested more than 64 levels deep');
  expect(await ask(100_000)).toContain('nested more than 64 levels deep');
  expect(await ask(64)).not.toContain('nested');
});

test.each([
  ['nested too deeply', '['.repeat(65) + ']'.repeat(65)],
  ['nested without end', '{"a":'.repeat(100_000)],
  ['of quotes without end', `"${'\\"'.repeat(400_000)}`],
  ['with __proto__', '{"pipeline":"trades","__proto__":{"admin":true}}'],
  ['with constructor.prototype', '{"pipeline":"trades","constructor":{"prototype":{}}}'],
  ['that is no JSON', '{"pipeline":'],
  ['that is empty', ''],
  ['of another shape', '[]'],
  ['with a number for a text', '{"pipeline":1}'],
  ['with a text for a number', '{"pipeline":"trades","priority":"1"}'],
  ['with what nobody knows', '{"pipeline":"trades","as":"root"}'],
  ['with a time that is none', '{"pipeline":"trades","since":"yesterday"}'],
  ['with a NUL', '{"pipeline":"trades","path":"a\\u0000b"}'],
])('a body %s is refused', async (_name, body) => {
  const headers = { authorization: bearer, 'content-type': 'application/json' };
  const answer = await fetch(`${site.url}/v1/runs`, { method: 'POST', body, headers });
  expect(answer.status).toBe(400);
  const problem = (await answer.json()) as { code: string; detail: string };
  expect(problem.code).toBe('OCTO_API_INVALID');
  expect(problem.detail).not.toContain('root');
});

test.each([
  'text/plain',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
])('a body of type %s starts no run', async (type) => {
  const headers = { authorization: bearer, 'content-type': type };
  // All that a run takes, so that nothing but its type is wrong with it.
  const body = 'pipeline=trades';
  const answer = await fetch(`${site.url}/v1/runs`, { method: 'POST', body, headers });
  expect(answer.status).toBe(415);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
});

test.each(['PUT', 'DELETE', 'PATCH', 'HEAD', 'QUERY'])(
  '%s is no method of a run',
  async (method) => {
    const answer = await fetch(`${site.url}/v1/runs`, {
      method,
      headers: { authorization: bearer },
    });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, POST');
  },
);

test.each([
  '?limit=0',
  '?limit=501',
  '?limit=x',
  '?cursor=%00',
  '?state=NEW',
  '?nobody=1',
  '?limit=1&limit=2',
])('a query %s is refused', async (query) => {
  const { status, body } = await site.get(`/v1/runs${query}`, { authorization: bearer });
  expect([status, body.code]).toEqual([400, 'OCTO_API_INVALID']);
});

test('who never finishes their headers is let go', async () => {
  const parts = { host: { redact: String }, audit: noAudit, auth: {}, metrics: site.metrics };
  const app = await buildApp(parts as never, { ...APP_DEFAULTS, headersMs: 50 });
  onTestFinished(() => app.close());
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const answer = await raw(port, 'GET /healthz HTTP/1.1\r\nhost:');
  expect(statuses(answer)).toEqual([408]);
});

test('a thousand callers who never finish their headers keep nobody from an answer', async () => {
  const slow = Array.from({ length: 1000 }, () => connect(site.port, '127.0.0.1'));
  for (const socket of slow)
    socket.on('error', () => undefined).write('GET /healthz HTTP/1.1\r\nhost:');
  try {
    for (let n = 0; n < 20; n++)
      expect((await site.get('/v1/pipelines', { authorization: bearer })).status).toBe(200);
  } finally {
    for (const socket of slow) socket.destroy();
  }
});
