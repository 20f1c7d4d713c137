import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { openTraces } from '../../src/telemetry/open-traces.ts';
import type { TracedRun } from '../../src/telemetry/traces.ts';
import { collector, plain, type ReceivedSpan } from './collector.ts';

const second = 1000;
const run: TracedRun = {
  id: '550e8400-e29b-41d4-a716-446655440000',
  trace: '550e8400e29b41d4a716446655440000',
  pipeline: 'trades',
  trigger: 'api',
  attempt: 2,
};

function opened(url: string) {
  const clock = new ManualClock(Date.UTC(2026, 0, 16));
  const logger = new RecordingLogger();
  const traces = openTraces({
    url: `${url}/v1/traces`,
    headers: { 'x-api-key': 'collector-key' },
    service: 'octo-host',
    version: '0.1.0',
    host: 'host-1',
    clock,
    logger,
    redact: (text) => text.replaceAll('hunter2', '[secret]'),
  });
  return { clock, logger, traces };
}

/** A run of ten seconds with one file: two of connecting, one of listing, five of the file, with steps that overlap. */
async function oneRun({ clock, traces }: ReturnType<typeof opened>, about: TracedRun = run) {
  const traced = traces.run(about);
  traced.event({ event: 'connecting' });
  await clock.advance(3 * second);
  const listed = { event: 'listed', files: 1, bytes: 4, toDeliver: 1 } as const;
  traced.event({ ...listed, connectMs: 2 * second, listMs: second });
  await clock.advance(6 * second);
  const steps = [
    { step: 'download', fromMs: 0, toMs: 4000, ms: 3000.5, bytesIn: 4, bytesOut: 4 },
    { step: 'decrypt', fromMs: 1000, toMs: 5000, ms: 1000, bytesIn: 4, bytesOut: 9 },
  ];
  const times = { ms: 5 * second, steps };
  const error = 'the login hunter2 was refused';
  traced.event({ event: 'failed', path: 'in/hunter2.csv', error, delivery: 'd1', times });
  await clock.advance(second);
  traced.ended('failed', error);
}

const at = (nanos: string) => Number((BigInt(nanos) / 1_000_000n) % 1_000_000n) / second;
const timesOf = ({ startTimeUnixNano, endTimeUnixNano }: ReceivedSpan) => [
  at(startTimeUnixNano) - at(String(BigInt(Date.UTC(2026, 0, 16)) * 1_000_000n)),
  at(endTimeUnixNano) - at(String(BigInt(Date.UTC(2026, 0, 16)) * 1_000_000n)),
];

test('a run is a span, each file one below it, each step one below that', async () => {
  const { url, spans, posts } = await collector();
  const here = opened(url);
  await oneRun(here);
  await here.traces[Symbol.asyncDispose]();
  const found = new Map(spans().map((span) => [span.name, span]));
  expect([...found.keys()].toSorted()).toEqual([
    'connect',
    'decrypt',
    'download',
    'file',
    'list',
    'run',
  ]);
  const [root, file] = [found.get('run')!, found.get('file')!];
  expect(new Set(spans().map(({ traceId }) => traceId))).toEqual(new Set([run.trace]));
  expect(root.parentSpanId).toBeFalsy();
  const parents = [...found.values()].map(({ name, parentSpanId }) => [name, parentSpanId]);
  expect(Object.fromEntries(parents)).toMatchObject({
    connect: root.spanId,
    list: root.spanId,
    file: root.spanId,
    download: file.spanId,
    decrypt: file.spanId,
  });
  const when = [...found].map(([name, span]) => [name, timesOf(span)]);
  expect(Object.fromEntries(when)).toEqual({
    run: [0, 10],
    connect: [0, 2],
    list: [2, 3],
    file: [4, 9],
    download: [4, 8],
    decrypt: [5, 9],
  });
  expect(plain(found.get('download')!)).toEqual({
    'octo.step.own_ms': 3000.5,
    'octo.step.bytes_in': 4,
    'octo.step.bytes_out': 4,
  });
  expect(plain(root)).toMatchObject({ 'octo.run.id': run.id, 'octo.pipeline': 'trades' });
  expect(posts[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-api-key': 'collector-key' } });
  expect(plain(posts[0]!.body.resourceSpans[0]!.resource)).toMatchObject({
    'service.name': 'octo-host',
    'service.instance.id': 'host-1',
  });
});

test('no secret stands in what is sent', async () => {
  const { url, spans, posts } = await collector();
  const here = opened(url);
  await oneRun(here);
  await here.traces[Symbol.asyncDispose]();
  expect(JSON.stringify(posts.map(({ body }) => body))).not.toContain('hunter2');
  const file = spans().find(({ name }) => name === 'file')!;
  expect(file.status).toEqual({ code: 2, message: 'the login [secret] was refused' });
  expect(plain(file)).toMatchObject({ 'octo.file.path': 'in/[secret].csv' });
});

test('the run of a request with a traceparent is a child of its span', async () => {
  const { url, spans } = await collector();
  const here = opened(url);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  await oneRun(here, { ...run, trace, parent: `00-${trace}-b7ad6b7169203331-01` });
  await here.traces[Symbol.asyncDispose]();
  const root = spans().find(({ name }) => name === 'run')!;
  expect(root).toMatchObject({ traceId: trace, parentSpanId: 'b7ad6b7169203331' });
});

test('a trace that its beginning does not keep is not sent', async () => {
  const { url, posts } = await collector();
  const here = opened(url);
  await oneRun(here, { ...run, parent: `00-${run.trace}-b7ad6b7169203331-00` });
  await here.traces[Symbol.asyncDispose]();
  expect(posts).toEqual([]);
});

test('a collector that refuses is told once, and hinders nobody', async () => {
  const { url, posts } = await collector(500);
  const here = opened(url);
  // More than one batch holds.
  for (let n = 0; n < 200; n++) await oneRun(here);
  await here.traces[Symbol.asyncDispose]();
  expect(posts.length).toBeGreaterThan(1);
  const told = here.logger.entries.filter(({ level }) => level !== 'debug');
  expect(told).toMatchObject([
    { level: 'warn', message: 'traces do not arrive; runs go on without' },
  ]);
});

test('a collector that does not answer keeps no host from ending', async () => {
  const { url, asked } = await collector('never');
  const here = opened(url);
  await oneRun(here);
  const closed = here.traces[Symbol.asyncDispose]();
  await asked;
  await here.clock.untilSleeping();
  await here.clock.advance(2 * second);
  await closed;
});
