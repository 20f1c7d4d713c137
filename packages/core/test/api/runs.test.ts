import { afterAll, beforeAll, expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { openSite, type Site } from './site.ts';

let site: Site;
let all: Record<string, string>;
beforeAll(async () => {
  site = await openSite();
  all = await site.headers('admin');
});
afterAll(() => site[Symbol.asyncDispose]());

test('a run that was asked for is there, with who asked for it', async () => {
  const body = { pipeline: 'trades', path: 'daily/*', since: '2026-01-02T03:04:05Z', priority: 7 };
  const made = await site.post('/v1/runs', body, all);
  expect(made.status).toBe(201);
  expect(made.headers.get('location')).toBe(`/v1/runs/${made.body.id}`);
  expect(made.body).toMatchObject({
    pipeline: 'trades',
    path: 'daily/*',
    since: '2026-01-02T03:04:05.000Z',
    priority: 7,
    trigger: 'api',
    state: 'QUEUED',
    by: expect.stringMatching(/^key:[0-9a-f]{16}$/),
  });
  expect((await site.get(`/v1/runs/${made.body.id}`, all)).body).toEqual(made.body);
  const pipelines = await site.get('/v1/pipelines', all);
  expect(pipelines.body.pipelines[2]).toMatchObject({ id: 'trades', queued: 1, running: 0 });
});

test('the same idempotency key answers the same run, and refuses another body', async () => {
  const headers = { ...all, 'idempotency-key': 'order-1' };
  const first = await site.post('/v1/runs', { pipeline: 'trades' }, headers);
  const again = await site.post('/v1/runs', { pipeline: 'trades' }, headers);
  expect(again.body).toEqual(first.body);
  const other = await site.post('/v1/runs', { pipeline: 'trades', path: 'x' }, headers);
  expect(other.status).toBe(409);
  expect(other.headers.get('content-type')).toBe('application/problem+json');
  expect(other.body).toMatchObject({ code: 'OCTO_RUN_KEY_REUSED', status: 409 });
});

test('an idempotency key belongs to its caller', async () => {
  const key = { 'idempotency-key': 'order-2' };
  const first = await site.post('/v1/runs', { pipeline: 'trades' }, { ...all, ...key });
  const other = await site.headers('runs:write');
  const second = await site.post('/v1/runs', { pipeline: 'trades' }, { ...other, ...key });
  expect(second.status).toBe(201);
  expect(second.body.id).not.toBe(first.body.id);
});

test('a run belongs to the trace of its request, or to one of its own', async () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const asked = async (traceparent?: string) => {
    const headers = { ...all, ...(traceparent !== undefined && { traceparent }) };
    return (await site.post('/v1/runs', { pipeline: 'trades' }, headers)).body;
  };
  const own = /^[0-9a-f]{32}$/;
  const [given, none, wrong] = [
    await asked(`00-${trace}-b7ad6b7169203331-01`),
    await asked(),
    await asked(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`),
  ];
  expect(given.trace).toBe(trace);
  expect(given).not.toHaveProperty('traceParent');
  expect(none.trace).toMatch(own);
  expect(wrong.trace).toMatch(own);
  expect(new Set([trace, none.trace, wrong.trace]).size).toBe(3);
  const again = await site.post(`/v1/runs/${given.id}/retry`, undefined, all);
  expect(again.body.trace).not.toBe(trace);
});

test('runs are listed newest first, page by page', async () => {
  const made = [];
  for (let n = 0; n < 3; n++)
    made.push((await site.post('/v1/runs', { pipeline: 'affirm-us' }, all)).body.id);
  const first = await site.get('/v1/runs?pipeline=affirm-us&limit=2', all);
  expect(first.body.runs.map((run: { id: string }) => run.id)).toEqual([made[2], made[1]]);
  const path = `/v1/runs?pipeline=affirm-us&limit=2&cursor=${first.body.next}`;
  const second = await site.get(path, all);
  expect(second.body.runs.map((run: { id: string }) => run.id)).toEqual([made[0]]);
  expect(second.body.next).toBeUndefined();
});

test('who may see some pipelines sees no run of others, and no sign of them', async () => {
  const foreign = await site.post('/v1/runs', { pipeline: 'trades' }, all);
  const own = await site.post('/v1/runs', { pipeline: 'affirm-us' }, all);
  const narrow = await site.headers(
    'runs:read:affirm-*',
    'runs:write:affirm-*',
    'pipelines:read:affirm-*',
  );
  const listed = await site.get('/v1/runs?limit=500', narrow);
  const seen = new Set(listed.body.runs.map((run: { pipeline: string }) => run.pipeline));
  expect([...seen]).toEqual(['affirm-us']);
  expect((await site.get(`/v1/runs/${own.body.id}`, narrow)).status).toBe(200);
  const there = await site.get(`/v1/runs/${foreign.body.id}`, narrow);
  const nowhere = await site.get(`/v1/runs/${'0'.repeat(36)}`, narrow);
  expect([there.status, nowhere.status]).toEqual([404, 404]);
  expect(there.body.detail.replace(foreign.body.id, 'X')).toBe(
    nowhere.body.detail.replace('0'.repeat(36), 'X'),
  );
  expect((await site.post(`/v1/runs/${foreign.body.id}/cancel`, undefined, narrow)).status).toBe(
    404,
  );
  expect((await site.post('/v1/runs', { pipeline: 'trades' }, narrow)).status).toBe(404);
  expect((await site.get('/v1/runs?pipeline=trades', narrow)).body.runs).toEqual([]);
  const { pipelines } = (await site.get('/v1/pipelines', narrow)).body;
  expect(pipelines.map((one: { id: string }) => one.id)).toEqual(['affirm-us', 'affirm-ca']);
  expect((await site.get('/v1/pipelines/trades', narrow)).status).toBe(404);
});

test('a pipeline that is switched off is not run', async () => {
  const refused = await site.post('/v1/runs', { pipeline: 'affirm-ca' }, all);
  expect(refused.body).toMatchObject({ status: 409, code: 'OCTO_PIPELINE_DISABLED' });
});

test('a run is cancelled and repeated', async () => {
  const { id } = (await site.post('/v1/runs', { pipeline: 'trades' }, all)).body;
  const cancelled = await site.post(`/v1/runs/${id}/cancel`, undefined, all);
  expect(cancelled.body).toMatchObject({ id, state: 'CANCELLED', cancelledBy: expect.any(String) });
  const again = await site.post(`/v1/runs/${id}/retry`, undefined, all);
  expect(again.status).toBe(201);
  expect(again.body).toMatchObject({ pipeline: 'trades', trigger: 'retry', state: 'QUEUED' });
});

test('what became of the files of a run is told', async () => {
  const { id } = (await site.post('/v1/runs', { pipeline: 'trades' }, all)).body;
  site.runs.move(id, {}, [{ path: 'a.csv', outcome: 'quarantined', reason: 'CHECKSUM differs' }]);
  expect((await site.get(`/v1/runs/${id}/files`, all)).body).toEqual({
    files: [{ path: 'a.csv', outcome: 'quarantined', reason: 'CHECKSUM differs' }],
  });
});

test('events of a run come as they happen, go on after the last one seen, and end with the run', async () => {
  const { id } = (await site.post('/v1/runs', { pipeline: 'trades' }, all)).body;
  site.runs.move(id, { state: 'RUNNING', attempt: 1 });
  const headers = { ...all, 'last-event-id': '1' };
  const response = await fetch(`${site.url}/v1/runs/${id}/events`, { headers });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let told = '';
  const until = async (text: string) => {
    for (let reads = 0; !told.includes(text) && reads < 20; reads++)
      told += (await reader.read()).value ?? '';
    expect(told).toContain(text);
  };
  await until('id: 2\nevent: state\n');
  expect(told).not.toContain('id: 1\n');
  expect(told).toContain('"state":"RUNNING"');
  site.runs.move(id, { state: 'SUCCEEDED' });
  await until('"state":"SUCCEEDED"');
  let end = await reader.read();
  for (let reads = 0; !end.done && reads < 20; reads++) end = await reader.read();
  expect(end.done).toBe(true);
});

test('a quiet run still gives a sign of life', async () => {
  const { id } = (await site.post('/v1/runs', { pipeline: 'trades' }, all)).body;
  const response = await fetch(`${site.url}/v1/runs/${id}/events`, { headers: all });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let told = (await reader.read()).value ?? '';
  await site.clock.advance(15_000);
  told += (await reader.read()).value ?? '';
  expect(told).toContain(': still there');
  await reader.cancel();
});

test('a listener that goes away is forgotten', async () => {
  const { id } = (await site.post('/v1/runs', { pipeline: 'trades' }, all)).body;
  const gone = new AbortController();
  const response = await fetch(`${site.url}/v1/runs/${id}/events`, {
    headers: all,
    signal: gone.signal,
  });
  await response.body!.getReader().read();
  await expect.poll(() => site.runs.listeners).toBe(1);
  gone.abort();
  await expect.poll(() => site.runs.listeners).toBe(0);
});

test('nothing is done that cannot be recorded', async () => {
  const before = (await site.get('/v1/runs?limit=500', all)).body.runs.length;
  site.audit.failure = new OctoError('OCTO_API_FAILED', 'the audit is away');
  const refused = await site.post('/v1/runs', { pipeline: 'trades' }, all);
  site.audit.failure = undefined;
  expect(refused.status).toBe(500);
  expect((await site.get('/v1/runs?limit=500', all)).body.runs.length).toBe(before);
});

test('what is done is recorded with who did it and from where', async () => {
  site.audit.entries.length = 0;
  const headers = { ...all, 'x-request-id': 'order-4711' };
  await site.post('/v1/runs', { pipeline: 'trades' }, headers);
  expect(site.audit.entries).toEqual([
    {
      action: 'run.request',
      target: 'trades',
      outcome: 'done',
      trace: 'order-4711',
      actor: { kind: 'key', id: expect.stringMatching(/^[0-9a-f]{16}$/), address: '127.0.0.1' },
    },
  ]);
});
