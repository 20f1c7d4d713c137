import { afterAll, beforeAll, expect, test } from 'vitest';
import { countRun } from '../../src/api/count-run.ts';
import { openApi } from '../../src/api/open-api.ts';
import { OctoError } from '../../src/errors/octo-error.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { openSite, type Site } from './site.ts';

let site: Site;
let all: Record<string, string>;
beforeAll(async () => {
  const affirm = { state: 'open', until: 0, times: 1, why: 'no route' } as const;
  site = await openSite({}, { breakers: { all: async () => new Map([['affirm', affirm]]) } });
  all = await site.headers('admin');
});
afterAll(() => site[Symbol.asyncDispose]());

test('the process is alive while the database is away, but not ready', async () => {
  expect((await site.get('/healthz')).body).toEqual({ status: 'ok' });
  expect((await site.get('/readyz')).body).toEqual({ status: 'ready' });
  const away = new OctoError('OCTO_DATABASE_UNREACHABLE', 'the database does not answer');
  site.runs.depth = () => Promise.reject(away);
  const answer = await site.get('/readyz');
  Reflect.deleteProperty(site.runs, 'depth');
  expect([answer.status, answer.body.code]).toEqual([503, 'OCTO_DATABASE_UNREACHABLE']);
  expect((await site.get('/healthz')).status).toBe(200);
});

test('a defect says nothing of itself to the caller, and everything to the log', async () => {
  site.runs.find = () => Promise.reject(new Error('secret inner workings'));
  const answer = await site.get('/v1/runs/nobody', all);
  Reflect.deleteProperty(site.runs, 'find');
  expect([answer.status, answer.body.code]).toEqual([500, 'OCTO_API_FAILED']);
  expect(JSON.stringify(answer.body)).not.toContain('inner workings');
  const requestId = answer.headers.get('x-request-id');
  expect(site.logger.entries.at(-1)).toMatchObject({
    fields: { requestId, reason: expect.stringContaining('inner workings') },
  });
});

test('statistics tell how each provider did over a day, and what went wrong last', async () => {
  const nowMs = site.clock.now();
  const ended = async (pipeline: string, state: 'SUCCEEDED' | 'FAILED', endedAt: number) => {
    const { id } = await site.runs.request({ pipeline, trigger: 'schedule', by: 'host' });
    const error = { code: 'OCTO_INSTANCE_FAILED', message: 'the login was refused' };
    site.runs.move(id, { state, endedAt, ...(state === 'FAILED' ? { error } : {}) });
  };
  await ended('affirm-us', 'FAILED', nowMs - 90_000_000);
  await ended('affirm-us', 'FAILED', nowMs - 2000);
  for (let n = 0; n < 3; n++) await ended('affirm-us', 'SUCCEEDED', nowMs - 1000);
  const { body } = await site.get('/admin/stats', all);
  expect(body.providers).toEqual([
    {
      id: 'affirm',
      breaker: 'open',
      runs: 4,
      successRate: 0.75,
      lastError: {
        at: new Date(nowMs - 2000).toISOString(),
        run: expect.any(String),
        code: 'OCTO_INSTANCE_FAILED',
        message: 'the login was refused',
      },
    },
    { id: 'bloomberg', breaker: 'closed', runs: 0 },
  ]);
});

test('plugins tell their state, their health and their schema; narrow keys see what their pipelines use', async () => {
  const { plugins } = (await site.get('/v1/plugins', all)).body;
  expect(plugins[0]).toMatchObject({
    id: 'affirm',
    use: 'vendor',
    kind: 'provider',
    state: 'started',
    pipelines: ['affirm-us', 'affirm-ca'],
    breaker: { state: 'open', until: '1970-01-01T00:00:00.000Z', reason: 'no route' },
    health: { state: 'unknown', reason: expect.any(String) },
  });
  const shown = await site.get('/v1/plugins/affirm', all);
  expect(shown.body.configSchema.properties.password).toEqual({ type: 'string', secret: true });
  const narrow = await site.headers('plugins:read:trades');
  const seen = (await site.get('/v1/plugins', narrow)).body.plugins;
  expect(seen.map(({ id }: { id: string }) => id)).toEqual(['bloomberg', 'lake']);
  expect((await site.get('/v1/plugins/affirm', narrow)).status).toBe(404);
});

test('metrics count what happens in runs, reloads, breakers, the queue and the API', async () => {
  const { metrics } = site;
  countRun(metrics, 'trades', { event: 'delivered', path: 'a', key: 'a', bytes: 3 });
  countRun(metrics, 'trades', { event: 'read', path: 'a', bytes: 3 });
  countRun(metrics, 'trades', { event: 'retrying', path: 'a', reason: 'cut off' });
  metrics.runEnded('trades', 'succeeded');
  metrics.reloaded('applied');
  metrics.breaker('affirm', 'open');
  metrics.step('trades', 'decrypt', 250);
  await site.runs.request({ pipeline: 'trades', trigger: 'api', by: 'host' });
  const { body } = await site.get('/metrics', await site.headers('metrics:read'));
  for (const line of [
    'octo_files_total{pipeline="trades",outcome="delivered"} 1',
    'octo_bytes_read_total{pipeline="trades"} 3',
    'octo_retries_total{pipeline="trades"} 1',
    'octo_runs_total{pipeline="trades",state="succeeded"} 1',
    'octo_reloads_total{outcome="applied"} 1',
    'octo_breaker_changes_total{instance="affirm",state="open"} 1',
    'octo_step_seconds_sum{pipeline="trades",step="decrypt"} 0.25',
    'octo_queue_depth{pipeline="trades",state="queued"} 1',
    'nodejs_eventloop_lag_seconds',
    'octo_http_request_seconds_count{method="GET",route="/v1/plugins/:id",status="404"} 1',
  ])
    expect(body).toContain(line);
});

test('labels are bounded: what comes after the first two hundred names is counted together', async () => {
  const metrics = new Metrics();
  for (let n = 0; n < 300; n++) metrics.read(`pipeline-${n}`, 1);
  const text = await metrics.text();
  expect(text.match(/octo_bytes_read_total\{/g)).toHaveLength(201);
  expect(text).toContain('octo_bytes_read_total{pipeline="other"} 100');
});

test('an address that others reach is refused without TLS, before anything is opened', async () => {
  const settings = { address: '0.0.0.0', port: 0, insecure: false } as never;
  await expect(openApi({ settings } as never)).rejects.toMatchObject({ code: 'OCTO_API_EXPOSED' });
});

test('a port that is in use is told with what to do', async () => {
  await expect(openSite({ port: site.port })).rejects.toMatchObject({
    code: 'OCTO_API_LISTEN',
    message: expect.stringContaining(`port ${site.port}, is in use; choose another`),
  });
});

test('an audit is read where one is kept, and said to be missing where none is', async () => {
  const missing = await site.get('/v1/audit', all);
  expect(missing.body).toMatchObject({ status: 501, code: 'OCTO_API_NOT_BUILT' });
  const record = {
    sequence: 7,
    at: 0,
    action: 'login',
    actor: { kind: 'client', id: 'x' },
    outcome: 'done',
  } as const;
  const asked: unknown[] = [];
  const auditReader = {
    read: async (query: unknown) => {
      asked.push(query);
      return { records: [record], next: '7' };
    },
  };
  await using kept = await openSite({}, { auditReader });
  const path = '/v1/audit?action=login&since=1970-01-01T00:00:01Z';
  const { body } = await kept.get(path, await kept.headers('audit:read'));
  expect(body).toEqual({ records: [{ ...record, at: '1970-01-01T00:00:00.000Z' }], next: '7' });
  expect(asked).toEqual([{ action: 'login', since: 1000, limit: 100 }]);
});
