import { definePlugin, type Lifecycle } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { AuditedHost } from '../../src/audit/audited-host.ts';
import { auditUnavailable } from '../../src/audit/audit-unavailable.ts';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { manifestOf, provider, shelf, sink } from '../host/fake-plugins.ts';
import { openWorkshop, shelfModule } from '../workers/workshop.ts';
import { folderOfTest, MemoryTrail } from './log-bench.ts';

const never = new AbortController().signal;
const vendorSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: { type: 'string' },
    password: { type: 'string', secret: true },
    legacyAlgorithms: { type: 'boolean' },
  },
} as const;

const vendorWith = (config: object) => ({
  plugins: { acme: { use: 'vendor', config }, lake: { use: 'lake' } },
  pipelines: { trades: { from: 'acme', to: 'lake', key: '{name}' } },
});

/** As if each stood at the same place. */
async function manifestWith(config: object) {
  return { ...(await manifestOf(vendorWith(config))), folder: '/srv', file: '/srv/plugins.json' };
}

async function opened(config: object, life: Lifecycle = {}, actor = 'host') {
  const trail = new MemoryTrail();
  const logger = new RecordingLogger();
  const made = await InProcessHost.create(await manifestWith(config), {
    logger,
    clock: new ManualClock(),
    stateFolder: await folderOfTest(),
    stepKinds: [],
    loadPlugin: shelf({
      vendor: definePlugin({
        name: 'vendor',
        kind: 'provider',
        configSchema: vendorSchema,
        create: () => provider(life),
      }),
      lake: definePlugin({
        name: 'lake',
        kind: 'sink',
        configSchema: { type: 'object', additionalProperties: false },
        create: () => sink(),
      }),
    }),
  });
  const host = new AuditedHost(made, trail, actor, logger);
  onTestFinished(() => host[Symbol.asyncDispose]());
  return { host, trail, logger };
}

test('the start and the end of a host that runs by itself are written down', async () => {
  const { host, trail } = await opened({ host: 'sftp.test' });
  await host.start(never);
  await host[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  expect(trail.actions()).toEqual(['host.start', 'host.stop']);
});

test('each secret of the store is written down with the places that use it, before they begin, and never with its value', async () => {
  const { host, trail } = await opened({ host: 'sftp.test' });
  const next = await manifestWith({ host: 'sftp.test', password: 'canary-of-the-store' });
  const reference = { scheme: 'secret', name: 'acme-login', value: 'canary-of-the-store' } as const;
  const pointer = '/plugins/acme/config/password';
  next.source.references.set(pointer, [
    { ...reference, text: '${secret:acme-login}', whole: true },
  ]);
  await host.start(never);
  await host.apply(next, never);
  const used = trail.entries.filter(({ action }) => action === 'secrets.use');
  expect(used).toMatchObject([
    { target: 'acme-login', outcome: 'done', details: { places: pointer } },
  ]);
  expect(trail.actions().indexOf('secrets.use')).toBeLessThan(
    trail.actions().indexOf('manifest.apply'),
  );
  expect(JSON.stringify(trail.entries)).not.toContain('canary');
});

test('a reload is written down before and after it, with its diff, and never with a value', async () => {
  const { host, trail } = await opened({ host: 'sftp.test', password: 'canary-before' });
  await host.start(never);
  const changed = { host: 'other.test', password: 'canary-after' };
  await host.apply(await manifestWith(changed), never);
  expect(trail.actions()).toEqual(['host.start', 'manifest.change', 'manifest.apply']);
  expect(trail.entries[2]?.details).toMatchObject({
    'plugins.started': 'acme (changed: config/host config/password)',
    'plugins.kept': 1,
  });
  expect(JSON.stringify(trail.entries)).not.toMatch(/canary|other\.test/);
});

test('a manifest that changes nothing is no record; one that is refused is one, once for each reason', async () => {
  const life: Lifecycle = {};
  const { host, trail } = await opened({ host: 'sftp.test' }, life);
  await host.start(never);
  await host.apply(await manifestWith({ host: 'sftp.test' }), never);
  expect(trail.actions()).toEqual(['host.start']);
  const wrong = await manifestWith({ port: 22 });
  await expect(host.apply(wrong, never)).rejects.toBeInstanceOf(Error);
  await expect(host.apply(wrong, never)).rejects.toBeInstanceOf(Error);
  const refused = trail.actions().filter((action) => action === 'manifest.apply failed');
  expect(refused).toHaveLength(1);
});

test('another manifest is refused while the trail cannot be written, and the one that runs goes on', async () => {
  const { host, trail } = await opened({ host: 'sftp.test' });
  await host.start(never);
  trail.failure = () => auditUnavailable('/audit', 'the disk is full; make room');
  const other = await manifestWith({ host: 'other.test' });
  await expect(host.apply(other, never)).rejects.toMatchObject({ code: 'OCTO_AUDIT_UNAVAILABLE' });
  expect(host.manifest.plugins.get('acme')?.config).toEqual({ host: 'sftp.test' });
});

test('old algorithms that somebody allows for a vendor are written down, and said in the log', async () => {
  const { host, trail, logger } = await opened({ host: 'sftp.test', legacyAlgorithms: true });
  await host.start(never);
  const weak = trail.entries.find(({ action }) => action === 'vendor.legacy-algorithms');
  expect(weak).toMatchObject({ target: 'acme', outcome: 'done' });
  expect(JSON.stringify(logger.entries)).toContain('old algorithms are allowed for this vendor');
});

test('what a worker delivers is written down by its host', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/shelf/index.mjs', shelfModule);
  const files = { 'a.csv': 'a\n', 'b.csv': '' };
  const { host: made } = await workshop.host({
    plugins: {
      shelf: { use: './plugins/shelf/index.mjs', config: { files } },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: { daily: { from: 'shelf', to: 'out', key: '{name}', doubleRead: false } },
  });
  const trail = new MemoryTrail();
  const host = new AuditedHost(made, trail, 'operator:ada', workshop.logger);
  await host.start(never);
  const { ledger, logger } = workshop;
  const place = { ledger, clock: systemClock, logger, random: () => 0.5, spoolFolder: '' };
  await host.run('daily', { ...place, trace: 'run-7' }, never);
  expect(trail.actions().toSorted()).toEqual([
    'file.deliver',
    'file.download',
    'file.download',
    'file.quarantine',
    'run.begin',
    'run.end',
    'vendor.connect',
    'vendor.list',
  ]);
  expect(trail.entries.every(({ actor: { id }, trace }) => id === 'ada' && trace === 'run-7')).toBe(
    true,
  );
});
