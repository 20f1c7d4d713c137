import { expect, test } from 'vitest';
import { Interrupted } from '../../src/cli/environment.ts';
import { emptyReport } from '../../src/cli/run-result.ts';
import { collector } from '../telemetry/collector.ts';
import { goodManifest, site, withRuns } from './site.ts';
import { octoHost } from './test-environment.ts';

/** A host that does one run and ends. */
async function oneRun(env: Readonly<Record<string, string>>, manifest = goodManifest) {
  const { environment, runs } = await site(manifest);
  const stop = new AbortController();
  const rooms = withRuns(environment.rooms, async ({ config }, { onEvent, logger }) => {
    onEvent?.({ event: 'listed', files: 1, bytes: 4, toDeliver: 1, connectMs: 2, listMs: 1 });
    logger.warn({ instance: 'lake', key: 'a' }, 'said by a plugin');
    logger.info({ key: 'a' }, 'said by the run');
    const times = { ms: 3, steps: [] };
    onEvent?.({ event: 'delivered', path: 'a', key: 'a', bytes: 4, times });
    stop.abort(new Interrupted('SIGTERM'));
    return emptyReport(config.id);
  });
  const here = { ...environment, env, rooms, signal: stop.signal };
  const { code, stderr } = await octoHost(['start', '--log', 'json'], here);
  expect(code).toBe(0);
  const lines = stderr.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { record: runs.entries[0]!.record, lines };
}

test('a host sends the spans of its runs where OpenTelemetry is told to send them', async () => {
  const { url, spans } = await collector();
  const { record } = await oneRun({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
  expect(
    spans()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['connect', 'file', 'list', 'run']);
  expect(new Set(spans().map(({ traceId }) => traceId))).toEqual(new Set([record.trace]));
});

test('the manifest may say where, and with which key', async () => {
  const { url, posts } = await collector();
  const telemetry = { endpoint: url, headers: { 'x-api-key': '${env:COLLECTOR_KEY}' } };
  const manifest = JSON.stringify({ ...JSON.parse(goodManifest), host: { telemetry } });
  await oneRun({ COLLECTOR_KEY: 'a-key-of-the-collector' }, manifest);
  expect(posts[0]?.headers).toMatchObject({ 'x-api-key': 'a-key-of-the-collector' });
});

test('every line of a run names its trace, the run, and the instance that it is about', async () => {
  const { record, lines } = await oneRun({});
  const names = { pipeline: 'trades', run: record.id, trace: record.trace };
  const ofRun = lines.filter(({ run }) => run !== undefined);
  expect(ofRun).toMatchObject([
    { ...names, instance: 'acme', message: 'vendor listed' },
    { ...names, instance: 'lake', message: 'said by a plugin' },
    { ...names, instance: 'acme', message: 'said by the run' },
    { ...names, instance: 'lake', message: 'file delivered' },
    { ...names, instance: 'acme', message: 'run finished' },
  ]);
  expect(lines.filter(({ pipeline }) => pipeline !== undefined)).toHaveLength(ofRun.length + 1);
});
