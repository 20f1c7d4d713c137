import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APP_DEFAULTS, buildApp } from '../../src/api/build-app.ts';
import { guard } from '../../src/api/access.ts';
import { noAudit } from '../../src/audit/audit-trail.ts';
import { parseScopes, type Action } from '../../src/auth/scope.ts';
import fastify from 'fastify';
import { openSite, type Site } from './site.ts';

interface Operation {
  readonly operationId: string;
  readonly security: readonly [{ bearer: [] }, { oauth: [Action] }] | readonly [];
}
interface Listed {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

// The document is made from the routes themselves, so a new route stands in this table without being asked.
const document = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../schema/openapi.json'), 'utf8'),
) as Listed;
const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path: path.replace('{id}', path.includes('/files') ? 'f'.repeat(64) : 'nobody'),
    scope: operation.security[1]?.oauth[0],
    body:
      path === '/v1/runs'
        ? { pipeline: 'nobody' }
        : path.startsWith('/v1/manifest/')
          ? { text: '{}' }
          : undefined,
  })),
);
const guarded = routes.filter(({ scope }) => scope !== undefined);

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site[Symbol.asyncDispose]());

async function ask(route: (typeof routes)[number], headers: Record<string, string> = {}) {
  // Guessing is not what is looked at here.
  await site.clock.advance(60_000);
  return route.method === 'GET'
    ? await site.get(route.path, headers)
    : await site.post(route.path, route.body, headers);
}

test('every route but a few is guarded', () => {
  const open = routes.filter(({ scope }) => scope === undefined).map(({ name }) => name);
  expect(open).toEqual([
    'GET /healthz',
    'GET /readyz',
    'POST /oauth/token',
    'GET /v1/openapi.json',
  ]);
  expect(guarded.length).toBeGreaterThan(18);
});

describe.each(guarded)('$name', (route) => {
  test('without a key: 401', async () => {
    const { status, headers, body } = await ask(route);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="octo"']);
    expect(body.code).toBe('OCTO_API_UNAUTHENTICATED');
  });

  test('with a key that is wrong, revoked or expired: the same 401', async () => {
    const scopes = parseScopes([route.scope!]);
    const nowMs = site.clock.now() + 60_000;
    const revoked = await site.keys.create({ name: 'revoked', scopes });
    await site.keys.revoke(revoked.key.id);
    const expired = await site.keys.create({ name: 'expired', scopes, expiresAt: nowMs - 1 });
    const good = await site.keys.create({ name: 'good', scopes });
    const wrong = `${good.text.slice(0, -4)}${good.text.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    const nobody = `octo_${'0'.repeat(16)}_${'x'.repeat(43)}`;
    const details = new Set<string>();
    for (const text of [revoked.text, expired.text, wrong, nobody, 'x', 'a.b.c']) {
      const { status, body } = await ask(route, { authorization: `Bearer ${text}` });
      expect(status).toBe(401);
      details.add(`${body.title} ${body.detail}`);
    }
    expect(details.size).toBe(1);
  });

  test('with a key for something else: 403', async () => {
    const other = route.scope === 'metrics:read' ? 'audit:read' : 'metrics:read';
    const { status, body } = await ask(route, await site.headers(other));
    expect([status, body.code]).toEqual([403, 'OCTO_API_FORBIDDEN']);
    expect(body.detail).toContain(`'${route.scope}'`);
  });

  test('with the right scope: neither 401 nor 403, and no defect', async () => {
    const { status } = await ask(route, await site.headers(route.scope!));
    expect([200, 201, 404, 422, 501]).toContain(status);
  });
});

test('a route that does not say which scope it needs cannot be registered', () => {
  const app = fastify();
  guard(app, {
    doorkeeper: { admit: () => Promise.reject(new Error('not here')) },
    audit: noAudit,
    onDenied: () => undefined,
  });
  const handler = async () => 'open to everybody';
  expect(() => app.get('/forgotten', handler)).toThrow('GET /forgotten does not say which scope');
  const config = { access: 'runs:everything' as Action };
  expect(() => app.get('/mistyped', { config }, handler)).toThrow('does not say which scope');
});

test('every denial is recorded, with where it came from', async () => {
  site.audit.entries.length = 0;
  await ask(guarded[0]!);
  await ask(guarded[0]!, await site.headers('metrics:read'));
  expect(site.audit.entries).toMatchObject([
    {
      action: 'request.denied',
      outcome: 'denied',
      target: guarded[0]!.name,
      actor: { kind: 'anonymous', address: '127.0.0.1' },
    },
    {
      action: 'request.denied',
      outcome: 'denied',
      target: guarded[0]!.name,
      actor: { kind: 'key' },
    },
  ]);
});

test('who guesses is put off, and who has a key is not', async () => {
  const headers = await site.headers('pipelines:read');
  expect((await site.get('/v1/pipelines', headers)).status).toBe(200);
  const guess = { authorization: `Bearer octo_${'1'.repeat(16)}_${'y'.repeat(43)}` };
  const answers = [];
  for (let n = 0; n < 30; n++) answers.push(await site.get('/v1/pipelines', guess));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(20);
  expect(statuses.at(-1)).toBe(429);
  expect(Number(answers.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await site.get('/v1/pipelines', headers)).status).toBe(200);
  await site.clock.advance(3_000);
  expect((await site.get('/v1/pipelines', guess)).status).toBe(401);
  await site.clock.advance(600_000);
});

test('the limit of requests is each caller’s own', async () => {
  await using small = await openSite({ requestsPerSecond: 3 });
  const [one, other] = [
    await small.headers('pipelines:read'),
    await small.headers('pipelines:read'),
  ];
  const asked = await Promise.all(
    Array.from({ length: 12 }, () => small.get('/v1/pipelines', one)),
  );
  const refused = asked.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]!.body.code).toBe('OCTO_API_TOO_MANY');
  expect((await small.get('/v1/pipelines', other)).status).toBe(200);
});

test('answers carry what keeps browsers from harm, and no web page may call', async () => {
  const answer = await site.get('/healthz', { origin: 'https://elsewhere.example' });
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

test('a web page may call from an origin that the operator names, and from no other', async () => {
  const parts = { host: { redact: String }, audit: noAudit, auth: {}, metrics: site.metrics };
  const app = await buildApp(parts as never, { ...APP_DEFAULTS, cors: ['https://ours.example'] });
  const ask = async (origin: string) =>
    await app.inject({ method: 'OPTIONS', url: '/v1/runs', headers: { origin } });
  const ours = await ask('https://ours.example');
  expect([ours.statusCode, ours.headers['access-control-allow-origin']]).toEqual([
    204,
    'https://ours.example',
  ]);
  const other = await ask('https://ours.example.evil.example');
  expect(other.headers['access-control-allow-origin']).toBeUndefined();
  await app.close();
});
