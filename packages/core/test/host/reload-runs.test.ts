import { getEventListeners } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { definePlugin, type Lifecycle, type PluginDefinition, PluginError } from '@octo/plugin-api';
import { MemoryPlace, MemorySink, RecordingLogger } from '@octo/plugin-testing';
import folderSink from '@octo/sink-fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import { Reloading } from '../../src/host/reloading.ts';
import { systemClock as clock } from '../../src/host/system-clock.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { runPipeline } from '../../src/pipeline/run-pipeline.ts';
import type { RunReport } from '../../src/pipeline/run-report.ts';
import { MemoryLedger } from '../ledger/memory-ledger.ts';
import { MemoryVendor } from '../pipeline/memory-vendor.ts';
import { shelf } from './fake-plugins.ts';

const stop = new AbortController();
const { signal } = stop;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-runs-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A host that follows the file `plugins.json` of the test's folder, with real runs. */
async function following(manifest: object, plugins: Readonly<Record<string, PluginDefinition>>) {
  const file = join(folder, 'plugins.json');
  const write = (next: object) => writeFile(file, JSON.stringify(next));
  await write(manifest);
  const logger = new RecordingLogger();
  const ledger = new MemoryLedger({ clock });
  const read = () => readManifest(file, { env: {} });
  const stateFolder = join(folder, '.octo');
  const options = { logger, clock, stateFolder, stepKinds: [], loadPlugin: shelf(plugins) };
  const host = await InProcessHost.create(await read(), options);
  await host.start(signal);
  const reloading = new Reloading({ host, read, clock, tell: () => {}, signal });
  return {
    host,
    logger,
    run: (id: string) => runOnce(host, id, ledger, logger),
    reload: async (next: object) => {
      await write(next);
      return await reloading.reload();
    },
  };
}

/** As `start` does it. */
async function runOnce(
  host: InProcessHost,
  id: string,
  ledger: MemoryLedger,
  logger: RecordingLogger,
): Promise<RunReport> {
  using lease = host.lease(id);
  const spoolFolder = join(folder, 'spool');
  const options = { ledger, clock, logger, random: () => 0.5, spoolFolder };
  return await runPipeline(lease.pipeline, options, AbortSignal.any([signal, lease.signal]));
}

/** A provider plugin whose instances share one vendor. */
function vendorPlugin(vendor: MemoryVendor, life: (id: string) => Lifecycle = () => ({})) {
  return definePlugin({
    name: 'vendor',
    kind: 'provider',
    configSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { version: { type: 'integer', default: 0 } },
    },
    create: ({ id }) => ({ settleMs: 0, connect: () => vendor.connect(), ...life(id) }),
  });
}

/** The folder sink makes its folder with the first file; this one does it when it starts. */
const eagerFolderSink: PluginDefinition = {
  ...folderSink,
  create: (context) => {
    const { directory } = (context as { config: { directory: string } }).config;
    const start = async () => void (await mkdir(directory, { recursive: true }));
    return Object.assign(folderSink.create(context), { start });
  },
};

test('a large transfer ends on the old sink, the next one uses the new, and both are whole', async () => {
  const vendor = new MemoryVendor();
  vendor.chunkBytes = 256 * 1024;
  const large = Buffer.alloc(24 * 1024 * 1024, 'octo ');
  vendor.publish('large.csv', large);
  const underWay = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  vendor.onChunk = async (_, offset) => {
    if (offset < large.length / 2) return;
    underWay.resolve();
    await gate.promise;
  };
  const manifest = (directory: string) => ({
    plugins: {
      acme: { use: 'vendor' },
      lake: { use: 'folder', config: { directory: join(folder, directory) } },
    },
    pipelines: { daily: { from: 'acme', to: 'lake', key: '{name}', doubleRead: false } },
  });
  const plugins = { vendor: vendorPlugin(vendor), folder: folderSink };
  const { host, run, reload } = await following(manifest('old'), plugins);
  await using _host = host;
  const first = run('daily');
  await underWay.promise;
  expect(await reload(manifest('new'))).toMatchObject({
    outcome: 'applied',
    plan: { plugins: { kept: ['acme'], started: [{ id: 'lake', keys: ['config/directory'] }] } },
  });
  vendor.publish('next.csv', 'a,b\n1,2\n');
  gate.resolve();
  expect(await first).toMatchObject({ delivered: [{ path: 'large.csv' }], failed: [] });
  vendor.files.delete('large.csv');
  expect(await run('daily')).toMatchObject({ delivered: [{ path: 'next.csv' }], failed: [] });
  expect((await readFile(join(folder, 'old/large.csv'))).equals(large)).toBe(true);
  expect(await readFile(join(folder, 'new/next.csv'), 'utf8')).toBe('a,b\n1,2\n');
  expect((await readdir(join(folder, 'old'))).filter((name) => name !== '.octo')).toEqual([
    'large.csv',
  ]);
});

test('a sink that cannot start leaves the old one at work, and says why', async () => {
  const vendor = new MemoryVendor();
  vendor.publish('a.csv', 'a');
  const manifest = (directory: string) => ({
    plugins: {
      acme: { use: 'vendor' },
      lake: { use: 'folder', config: { directory: join(folder, directory) } },
    },
    pipelines: { daily: { from: 'acme', to: 'lake', key: '{name}' } },
  });
  const plugins = { vendor: vendorPlugin(vendor), folder: eagerFolderSink };
  const { host, run, reload } = await following(manifest('good'), plugins);
  await using _host = host;
  await writeFile(join(folder, 'in-the-way'), 'a file');
  const refused = await reload(manifest('in-the-way/below'));
  expect(refused).toMatchObject({
    outcome: 'refused',
    isNews: true,
    error: {
      code: 'OCTO_INSTANCE_FAILED',
      message: expect.stringMatching(
        /^plugin 'lake' did not start: .*in-the-way.* \(.*plugins\.json:1:\d+\)$/,
      ),
    },
  });
  expect(await run('daily')).toMatchObject({ delivered: [{ path: 'a.csv' }] });
  expect(await readFile(join(folder, 'good/a.csv'), 'utf8')).toBe('a');
});

test('200 reloads in a row under load fail no run and leave nothing behind', async () => {
  const ids = ['one', 'two', 'three', 'four'];
  const vendors = new Map(ids.map((id) => [id, new MemoryVendor()]));
  const places = [new MemoryPlace(), new MemoryPlace()];
  const living = new Set<string>();
  let born = 0;
  const alive = (id: string): Lifecycle => {
    const name = `${id} ${born++}`;
    return {
      start: async () => void living.add(name),
      [Symbol.asyncDispose]: async () => void living.delete(name),
    };
  };
  const plugins = Object.fromEntries(
    [...vendors].map(([id, vendor]) => [id, vendorPlugin(vendor, alive) as PluginDefinition]),
  );
  const sink = definePlugin({
    name: 'sink',
    kind: 'sink',
    configSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { place: { type: 'integer', default: 0 } },
    },
    create: ({ id, config }) => {
      const place = places[config.place];
      if (place === undefined) throw new PluginError('validation', 'no such place');
      return Object.assign(new MemorySink({ place }), alive(id));
    },
  });
  /** Round after round another vendor is new, and the sink moves to and fro. */
  const manifest = (round: number) => ({
    plugins: {
      lake: { use: 'sink', config: { place: Math.floor(round / 2) % 2 } },
      ...Object.fromEntries(
        ids.map((id, index) => [id, { use: id, config: { version: round % 4 === index ? 1 : 0 } }]),
      ),
    },
    pipelines: Object.fromEntries(
      ids.map((id) => [id, { from: id, to: 'lake', key: `${id}/{name}`, doubleRead: false }]),
    ),
  });
  const { host, run, reload, logger } = await following(manifest(0), { ...plugins, sink });
  const handles = () => process.getActiveResourcesInfo().length;
  const before = { handles: handles(), listeners: getEventListeners(signal, 'abort').length };
  const reports: RunReport[] = [];
  const busy = new Map<string, Promise<void>>();
  const begin = async (id: string, round: number) => {
    await busy.get(id);
    const vendor = vendors.get(id);
    vendor?.files.clear();
    vendor?.publish(`${round}.csv`, `content ${round} of ${id}`);
    reports.push(await run(id));
  };
  for (let round = 1; round <= 200; round++) {
    for (const id of ids) busy.set(id, begin(id, round));
    expect(await reload(manifest(round))).toMatchObject({ outcome: 'applied' });
  }
  await Promise.all(busy.values());
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  expect(reports).toHaveLength(800);
  expect(reports.filter(({ delivered }) => delivered.length !== 1)).toEqual([]);
  expect(logger.messages('error')).toEqual([]);
  expect(living.size).toBe(5);
  expect(handles()).toBeLessThanOrEqual(before.handles + 2);
  expect(getEventListeners(signal, 'abort').length).toBe(before.listeners);
  await host[Symbol.asyncDispose]();
  expect(living.size).toBe(0);
});
