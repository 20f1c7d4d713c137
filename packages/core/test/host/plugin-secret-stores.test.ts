import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definePlugin, PluginError } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import { PluginSecretStores } from '../../src/host/plugin-secret-stores.ts';
import { type Reload, Reloading } from '../../src/host/reloading.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { PlainSecrets } from '../manifest/plain-secrets.ts';
import { provider, shelf, sink } from './fake-plugins.ts';

const signal = new AbortController().signal;
const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { place: { type: 'string' }, token: { type: 'string', secret: true } },
} as const;

/** What the store of a bench does; a test changes it. */
interface Vault {
  values: Record<string, string>;
  failure?: PluginError;
  get?: (name: string, signal: AbortSignal) => Promise<string>;
}

/** A manifest with a store of others in it, that store, and a host that follows both. */
async function bench(manifest: object, values: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-stores-'));
  const file = join(folder, 'plugins.json');
  const write = (next: object) => writeFile(file, JSON.stringify(next));
  await write(manifest);
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const vault: Vault = { values };
  const asked: string[] = [];
  const lives = { opened: 0, closed: 0 };
  const starts: string[] = [];
  const get = async (name: string, inner: AbortSignal) => {
    asked.push(name);
    if (vault.failure !== undefined) throw vault.failure;
    if (vault.get !== undefined) return await vault.get(name, inner);
    const value = vault.values[name];
    if (value === undefined) throw new PluginError('not_found', `there is no '${name}'`);
    return value;
  };
  const store = {
    start: async () => void lives.opened++,
    get,
    [Symbol.asyncDispose]: async () => void lives.closed++,
  };
  const loadPlugin = shelf({
    vendor: definePlugin({ name: 'v', kind: 'provider', configSchema, create: () => provider() }),
    vault: definePlugin({ name: 'vault', kind: 'secrets', configSchema, create: () => store }),
    sink: definePlugin({
      name: 's',
      kind: 'sink',
      configSchema,
      create: ({ config: { place = '' } }) => sink({ start: async () => void starts.push(place) }),
    }),
  });
  const options = { logger, clock, stateFolder: join(folder, '.octo'), stepKinds: [], loadPlugin };
  const open = (one: Parameters<typeof InProcessHost.create>[0]) =>
    InProcessHost.create(one, options);
  const stores = new PluginSecretStores({ open, clock, signal });
  const secrets = new PlainSecrets(folder);
  const hosts: InProcessHost[] = [];
  onTestFinished(async () => {
    for (const host of hosts) await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  let reads = 0;
  const read = (sealed: 'hold' | 'refuse' = 'hold') => {
    reads++;
    return readManifest(file, { env: {}, secrets, stores, sealed });
  };
  /** A host of what is read now, and the reloading that follows the file. */
  const start = async () => {
    const host = await InProcessHost.create(await read(), options);
    hosts.push(host);
    await host.start(signal);
    const told: Reload[] = [];
    const tell = (reload: Reload) => void told.push(reload);
    const reloading = new Reloading({ host, read, secrets, stores, clock, tell, signal });
    await reloading.look();
    told.length = 0;
    starts.length = 0;
    return { host, reloading, told, reads: () => reads };
  };
  return { vault, asked, lives, starts, clock, secrets, logger, read, write, start };
}

const place = (id: string, text: string) => ({ [id]: { use: 'sink', config: { place: text } } });
const manifest = (more: object = {}, vault: object = {}) => ({
  plugins: {
    acme: { use: 'vendor' },
    vault: { use: 'vault', ...vault },
    ...place('lake', 'at ${secret:vault/prod/lake}'),
    ...place('pond', 'pond'),
    ...more,
  },
  pipelines: {
    'to-lake': { from: 'acme', to: 'lake', key: '{name}' },
    'to-pond': { from: 'acme', to: 'pond', key: '{name}' },
  },
});

async function complaints(reading: Promise<unknown>): Promise<string[]> {
  const error: unknown = await reading.catch((reason: unknown) => reason);
  if (!(error instanceof OctoError)) throw new Error('the manifest was taken', { cause: error });
  return error.issues.map(
    ({ code, message }) => `${code}: ${message.replace(/ \(\S+plugins\.json:\d+:\d+\)$/, '')}`,
  );
}

describe('a secret of another store', () => {
  test('stands in the manifest, is asked for once a reading, and the store is closed again', async () => {
    const { read, asked, lives } = await bench(
      manifest(place('bay', '${secret:vault/prod/lake} and ${secret:vault/b#c}')),
      { 'prod/lake': 'one', 'b#c': 'two' },
    );
    const { plugins } = await read('refuse');
    expect(plugins.get('lake')?.config).toEqual({ place: 'at one' });
    expect(plugins.get('bay')?.config).toEqual({ place: 'one and two' });
    expect(asked.toSorted()).toEqual(['b#c', 'prod/lake']);
    expect(lives).toEqual({ opened: 1, closed: 1 });
  });

  test('that was rotated starts what uses it after the refresh, and nothing else', async () => {
    const { vault, clock, start, starts, asked } = await bench(
      manifest({}, { policy: { refreshMs: 60_000 } }),
      { 'prod/lake': 'one' },
    );
    const { host, reloading, told } = await start();
    const pond = host.instances.get('pond');
    vault.values['prod/lake'] = 'two';
    asked.length = 0;
    await clock.advance(59_000);
    await reloading.look();
    expect([asked, told]).toEqual([[], []]);
    await clock.advance(1000);
    await reloading.look();
    expect(starts).toEqual(['at two']);
    expect(told).toMatchObject([
      { outcome: 'applied', plan: { plugins: { kept: ['acme', 'vault', 'pond'] } } },
    ]);
    expect(host.instances.get('pond')).toBe(pond);
    await reloading.look();
    expect(asked).toEqual(['prod/lake']);
  });

  test.each([
    ['network', new PluginError('network', 'no route')],
    ['outage', new PluginError('provider_down', '503')],
    ['rate limit', new PluginError('rate_limit', 'slow down')],
    ['defect', new TypeError('oops') as PluginError],
  ])('holds what needs it while the store has a %s, which is asked again', async (_, failure) => {
    const { vault, clock, start, starts, asked } = await bench(manifest(), { 'prod/lake': 'one' });
    vault.failure = failure;
    const { host, reloading } = await start();
    expect([...host.instances.keys()]).toEqual(['acme', 'vault', 'pond']);
    expect(() => host.pipeline('to-pond')).not.toThrow();
    expect(() => host.pipeline('to-lake')).toThrow(
      /^pipeline 'to-lake' cannot run: plugin 'lake': config\/place waits for \$\{secret:vault\/prod\/lake\}: plugin 'vault' does not give its secrets: \S/,
    );
    delete vault.failure;
    asked.length = 0;
    await reloading.look();
    expect(asked).toEqual([]);
    // The second failure was the first look of the host.
    await clock.advance(20_000);
    await reloading.look();
    expect(starts).toEqual(['at one']);
    expect(() => host.pipeline('to-lake')).not.toThrow();
  });

  test('keeps its last value while the store does not answer, and other changes are taken', async () => {
    const { vault, clock, start, starts, write } = await bench(manifest(), { 'prod/lake': 'one' });
    const { host, reloading, told } = await start();
    const lake = host.instances.get('lake');
    vault.failure = new PluginError('network', 'no route');
    await clock.advance(300_000);
    await reloading.look();
    await write(manifest(place('bay', 'new')));
    await reloading.look();
    expect(told.map(({ outcome }) => outcome)).toEqual(['unchanged', 'applied']);
    expect(starts).toEqual(['new']);
    expect(host.instances.get('lake')).toBe(lake);
  });

  test('that is not named any more is not asked for', async () => {
    const { clock, start, write, asked } = await bench(manifest(), { 'prod/lake': 'one' });
    const { reloading, reads } = await start();
    await write(manifest(place('lake', 'plain')));
    await reloading.look();
    const before = reads();
    asked.length = 0;
    for (let looks = 0; looks < 3; looks++) {
      await clock.advance(300_000);
      await reloading.look();
    }
    expect(asked).toEqual([]);
    // Once, to see that nobody wants it.
    expect(reads() - before).toBe(1);
  });

  test('is not the value that other settings of the store gave', async () => {
    const { vault, start, write } = await bench(manifest(), { 'prod/lake': 'one' });
    const { reloading, told } = await start();
    vault.failure = new PluginError('network', 'no route');
    await write(manifest({}, { config: { place: 'elsewhere' } }));
    await reloading.look();
    expect(told).toMatchObject([
      { outcome: 'refused', error: { code: 'OCTO_SECRETS_UNAVAILABLE' } },
    ]);
  });

  test('that never comes is given up at the deadline', async () => {
    const { vault, clock, read } = await bench(manifest({}, { policy: { timeoutMs: 5000 } }), {});
    vault.get = (_, inner) =>
      new Promise((_resolve, reject) =>
        inner.addEventListener('abort', () => reject(inner.reason)),
      );
    const reading = complaints(read('refuse'));
    await clock.untilSleeping(1);
    await clock.advance(5000);
    expect(await reading).toEqual([
      expect.stringMatching(/^OCTO_SECRETS_UNAVAILABLE: plugin 'lake': .* within 5000 ms/),
    ]);
  });
});

describe('a reference to another store is refused', () => {
  test('with the reason, when the store does not have or does not give it', async () => {
    const { vault, read } = await bench(manifest(), {});
    expect(await complaints(read())).toEqual([
      "OCTO_REFERENCE_MISSING: plugin 'lake': config/place refers to ${secret:vault/prod/lake}: there is no 'prod/lake'",
    ]);
    vault.failure = new PluginError('auth', 'this role may not read it');
    expect(await complaints(read())).toEqual([
      "OCTO_REFERENCE_NOT_GRANTED: plugin 'lake': config/place refers to ${secret:vault/prod/lake}: this role may not read it",
    ]);
  });

  test.each([
    [
      'that is not there',
      'vaullt/x',
      "but 'vaullt' is not among the plugins; did you mean 'vault'?",
    ],
    ['that is no store', 'pond/x', "plugin 'pond' is no store of secrets"],
    ['that is switched off', 'off/x', "but plugin 'off' is switched off"],
  ])('when it names a plugin %s', async (_, reference, problem) => {
    const off = { off: { use: 'vault', enabled: false } };
    const { read } = await bench(manifest({ ...off, ...place('bay', `\${secret:${reference}}`) }), {
      'prod/lake': 'one',
    });
    expect(await complaints(read())).toEqual([expect.stringContaining(problem)]);
  });

  test('as a setting of a store', async () => {
    const { read } = await bench(
      manifest({
        second: { use: 'vault', config: { token: '${secret:vault/t}' } },
        ...place('bay', '${secret:second/x}'),
      }),
      { 'prod/lake': 'one', t: 'two', x: 'three' },
    );
    expect(await complaints(read())).toEqual([
      expect.stringContaining(
        "plugin 'second': config/token refers to ${secret:vault/t}, but is itself a setting of a store of secrets",
      ),
      expect.stringContaining(
        "plugin 'bay': config/place refers to ${secret:second/x}, but plugin 'second' is switched off, or not right itself",
      ),
    ]);
  });
});

test('what opens another store may lie in the host’s own; sealed, that holds both', async () => {
  const { read, secrets } = await bench(
    manifest({}, { config: { token: '${secret:vault-token}' } }),
    { 'prod/lake': 'one' },
  );
  await secrets.put({ 'vault-token': 'hunter2' });
  expect((await read('refuse')).plugins.get('lake')?.config).toEqual({ place: 'at one' });
  expect(secrets.opened).toBe(1);
  await secrets.seal();
  const { held } = await read();
  expect([...held!.keys()]).toEqual(['/plugins/vault', '/plugins/lake', '/pipelines/to-lake']);
  expect(await complaints(read('refuse'))).toEqual([
    "OCTO_SECRETS_SEALED: plugin 'vault': config/token refers to ${secret:vault-token}, and 1 more such: the store is sealed; put the key back",
  ]);
});
