import { mkdtemp, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definePlugin, type Lifecycle } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import { type Reload, Reloading } from '../../src/host/reloading.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { PlainSecrets, type Secrets } from '../manifest/plain-secrets.ts';
import { provider, shelf, sink } from './fake-plugins.ts';

const manifest = (place: string, more = '') => `{
  "plugins": {
    "acme": { "use": "vendor" },
    "lake": { "use": "sink", "config": { "place": "${place}" } }${more}
  },
  "pipelines": { "trades": { "from": "acme", "to": "lake", "key": "{name}" } }
}`;

interface Following {
  readonly read?: () => void;
  readonly life?: (place: string) => Lifecycle;
  /** What is in the store; without a word of it the key to it is missing. */
  readonly secrets?: Secrets;
}

/** A host that follows a real file, looked at when the test says so. */
async function following(text: string, { read, life, secrets }: Following = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-reload-'));
  const file = join(folder, 'plugins.json');
  await writeFile(join(folder, 'secret'), 'one');
  await writeFile(file, text);
  const store = await new PlainSecrets(folder).put(secrets ?? {});
  if (secrets === undefined) await store.seal();
  const reading = { env: {}, secrets: store, sealed: 'hold' } as const;
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const stop = new AbortController();
  const configSchema = {
    type: 'object',
    additionalProperties: false,
    properties: { place: { type: 'string' } },
  } as const;
  const starts: string[] = [];
  const plugins = {
    vendor: definePlugin({ name: 'v', kind: 'provider', configSchema, create: () => provider() }),
    sink: definePlugin({
      name: 's',
      kind: 'sink',
      configSchema,
      create: ({ config: { place = '' } }) =>
        sink({ start: async () => void starts.push(place), ...life?.(place) }),
    }),
  };
  const host = await InProcessHost.create(await readManifest(file, reading), {
    logger,
    clock,
    stateFolder: join(folder, '.octo'),
    stepKinds: [],
    loadPlugin: shelf(plugins),
  });
  await host.start(stop.signal);
  starts.length = 0;
  onTestFinished(async () => {
    await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const told: Reload[] = [];
  const reloading = new Reloading({
    host,
    read: async () => {
      read?.();
      return await readManifest(file, reading);
    },
    secrets: store,
    clock,
    tell: (reload) => void told.push(reload),
    signal: stop.signal,
  });
  /** What was told that a person would hear. */
  const news = () =>
    told.splice(0).flatMap((reload) => {
      if (reload.outcome === 'applied') return [`applied`];
      if (reload.outcome === 'unchanged') return reload.wasRefused ? ['as before'] : [];
      if (!reload.isNews) return [];
      return [reload.error instanceof OctoError ? reload.error.code : reload.error];
    });
  return { host, reloading, file, folder, clock, logger, store, told, news, starts, stop };
}

test('what nobody touched is not even read; what was only touched changes nothing', async () => {
  let reads = 0;
  const { reloading, file, news } = await following(manifest('a'), { read: () => reads++ });
  await reloading.look();
  for (let i = 0; i < 5; i++) await reloading.look();
  expect(reads).toBe(1);
  // Another version of a plugin may lie there now: the contents alone do not tell.
  await writeFile(file, manifest('a'));
  await reloading.look();
  await reloading.look();
  expect(reads).toBe(2);
  expect(news()).toEqual([]);
});

test('a changed file is applied, whatever its size and time say', async () => {
  const { reloading, file, news, starts } = await following(manifest('a'));
  await reloading.look();
  const { atime, mtime } = await stat(file);
  await writeFile(file, manifest('b'));
  await utimes(file, atime, mtime);
  await reloading.look();
  expect(news()).toEqual(['applied']);
  expect(starts).toEqual(['b']);
});

test('a rotated file of a reference is a change of what uses it', async () => {
  const { reloading, folder, news, starts } = await following(manifest('${file:secret}'));
  await reloading.look();
  await writeFile(join(folder, 'secret'), 'two');
  await reloading.look();
  expect(news()).toEqual(['applied']);
  expect(starts).toEqual(['two']);
});

test.each([
  ['half-written', manifest('b').slice(0, 120), 'OCTO_MANIFEST_SYNTAX'],
  ['empty', '', 'OCTO_MANIFEST_SYNTAX'],
  ['too large', ' '.repeat(1024 * 1024 + 1), 'OCTO_MANIFEST_UNREADABLE'],
  ['gone', undefined, 'OCTO_MANIFEST_NOT_FOUND'],
])(
  'a manifest that is %s is told once, after a writer had time, and changes nothing',
  async (_, text, code) => {
    const { host, reloading, file, clock, news } = await following(manifest('a'));
    const { instances } = host;
    if (text === undefined) await unlink(file);
    else await writeFile(file, text);
    expect(await reloading.look()).toBe(2000);
    expect(news()).toEqual([]);
    await clock.advance(2000);
    await reloading.look();
    expect(news()).toEqual([code]);
    for (let i = 0; i < 50; i++) {
      await clock.advance(10_000);
      await reloading.look();
    }
    expect(news()).toEqual([]);
    expect(host.instances).toBe(instances);
    await writeFile(file, manifest('a'));
    await reloading.look();
    expect(news()).toEqual(['as before']);
  },
);

test('a file that is written slowly raises no alarm, and is applied when it is whole', async () => {
  const { reloading, file, clock, news } = await following(manifest('a'));
  const whole = manifest('b');
  for (let end = 20; end < whole.length; end += 20) {
    await writeFile(file, whole.slice(0, end));
    await reloading.look();
    await clock.advance(1900);
  }
  await writeFile(file, whole);
  await reloading.look();
  expect(news()).toEqual(['applied']);
});

test.each([
  ['against the schema', '{ "plugins": { "acme": { "sue": "vendor" } } }', 'OCTO_MANIFEST_INVALID'],
  ['with an id twice', manifest('b', ', "lake": { "use": "sink" }'), 'OCTO_MANIFEST_DUPLICATE_KEY'],
  ['without anything in it', '{}', 'OCTO_MANIFEST_INVALID'],
  ['10,000 levels deep', '['.repeat(10_000), 'OCTO_MANIFEST_SYNTAX'],
  [
    'with a plugin that is not there',
    manifest('b', ', "new": { "use": "none" }'),
    'OCTO_PLUGIN_THREW',
  ],
])('a manifest %s is refused, and the next right one is applied', async (_, text, code) => {
  const { reloading, file, clock, news } = await following(manifest('a'));
  await writeFile(file, text);
  await reloading.look();
  await clock.advance(2000);
  await reloading.look();
  expect(news()).toEqual([code]);
  await writeFile(file, `\uFEFF${manifest('b')}`);
  await reloading.look();
  expect(news()).toEqual(['applied']);
});

test('a refused manifest is tried again by itself, ever more rarely, and told once', async () => {
  let down = true;
  let tries = 0;
  const life = (place: string): Lifecycle => ({
    start: async () => {
      if (place !== 'b') return;
      tries++;
      if (down) throw new Error('no such bucket');
    },
  });
  const { reloading, file, clock, news } = await following(manifest('a'), { life });
  await writeFile(file, manifest('b'));
  for (let i = 0; i < 15; i++) {
    await reloading.look();
    await clock.advance(10_000);
  }
  expect(tries).toBe(4);
  expect(news()).toEqual(['OCTO_INSTANCE_FAILED']);
  down = false;
  await clock.advance(300_000);
  await reloading.look();
  expect(news()).toEqual(['applied']);
});

test('whoever asks gets an answer, changed or not', async () => {
  const { reloading, file, news } = await following(manifest('a'));
  expect(await reloading.reload()).toEqual({ outcome: 'unchanged', wasRefused: false });
  await writeFile(file, '');
  expect(await reloading.reload()).toMatchObject({ outcome: 'refused', isNews: true });
  expect(await reloading.reload()).toMatchObject({ outcome: 'refused', isNews: true });
  await rename(file, `${file}.old`);
  await writeFile(file, manifest('c'));
  expect(await reloading.reload()).toMatchObject({
    outcome: 'applied',
    plan: { plugins: { started: [{ id: 'lake', keys: ['config/place'] }] } },
  });
  expect(news()).toHaveLength(3);
});

test('a storm of triggers is at most one reload more, and the last content wins', async () => {
  const { host, reloading, file, starts } = await following(manifest('a'));
  await writeFile(file, manifest('b'));
  const first = reloading.reload();
  await writeFile(file, manifest('c'));
  const storm = Array.from({ length: 100 }, (_, i) =>
    i % 2 ? reloading.look() : reloading.reload(),
  );
  await Promise.all([first, ...storm]);
  expect(starts.length).toBeLessThanOrEqual(2);
  expect(starts.at(-1)).toBe('c');
  expect(host.instances.get('lake')?.config.config).toEqual({ place: 'c' });
});

test('A → B → A ends with A, and each change is a change', async () => {
  const { reloading, file, news, starts } = await following(manifest('a'));
  for (const place of ['b', 'a', 'b', 'a']) {
    await writeFile(file, manifest(place));
    await reloading.look();
  }
  expect(news()).toEqual(['applied', 'applied', 'applied', 'applied']);
  expect(starts).toEqual(['b', 'a', 'b', 'a']);
});

test('a host that is told to stop applies nothing more and says nothing', async () => {
  const { host, reloading, file, news, stop } = await following(manifest('a'));
  await writeFile(file, manifest('b'));
  const { instances } = host;
  stop.abort(new Error('enough'));
  await reloading.look();
  expect(news()).toEqual([]);
  expect(host.instances).toBe(instances);
});

/** Two sinks that use a secret each, a pipeline whose step does, and a sink that uses none. */
const secretive = `{
  "plugins": {
    "acme": { "use": "vendor" },
    "lake": { "use": "sink", "config": { "place": "lake \${secret:lake}" } },
    "bay": { "use": "sink", "config": { "place": "bay \${secret:bay}" } },
    "pond": { "use": "sink", "config": { "place": "pond" } }
  },
  "pipelines": {
    "to-lake": { "from": "acme", "to": "lake", "key": "{name}" },
    "to-bay": { "from": "acme", "to": "bay", "key": "{name}" },
    "to-pond": { "from": "acme", "to": "pond", "key": "{name}" },
    "timed": { "from": "acme", "to": "pond", "key": "{name}", "timezone": "\${secret:zone}" }
  }
}`;
const stored = { lake: 'one', bay: 'two', zone: 'UTC', other: 'unused' };

test('a changed secret starts exactly the instances that use it', async () => {
  const { host, reloading, store, news, starts, told } = await following(secretive, {
    secrets: stored,
  });
  await reloading.look();
  const before = new Map(host.instances);
  await store.put({ ...stored, lake: 'three' });
  await reloading.look();
  expect(starts).toEqual(['lake three']);
  expect(told.at(-1)).toMatchObject({
    plan: {
      plugins: { kept: ['acme', 'bay', 'pond'], started: [{ id: 'lake', keys: ['config/place'] }] },
      pipelines: { kept: ['to-bay', 'to-pond', 'timed'], started: [{ id: 'to-lake' }] },
    },
  });
  for (const id of ['acme', 'bay', 'pond']) expect(host.instances.get(id)).toBe(before.get(id));
  expect(news()).toEqual(['applied']);
});

test('a changed secret of a pipeline changes that pipeline alone', async () => {
  const { reloading, store, starts, told } = await following(secretive, { secrets: stored });
  await reloading.look();
  await store.put({ ...stored, zone: 'Europe/Berlin' });
  await reloading.look();
  expect(starts).toEqual([]);
  expect(told.at(-1)).toMatchObject({
    plan: { pipelines: { started: [{ id: 'timed', keys: ['timezone'] }] } },
  });
});

test('a changed secret that nothing uses changes nothing', async () => {
  const { host, reloading, store, news, starts } = await following(secretive, { secrets: stored });
  await reloading.look();
  const before = [...host.instances.values()];
  await store.put({ ...stored, other: 'changed', more: 'new' });
  await reloading.look();
  expect([...host.instances.values()]).toEqual(before);
  expect([news(), starts]).toEqual([[], []]);
});

test('without the key what needs a secret is held, the rest lives, and the key lets it start', async () => {
  const { host, reloading, store, logger, news, starts } = await following(secretive);
  expect([...host.instances.keys()]).toEqual(['acme', 'pond']);
  expect(() => host.pipeline('to-pond')).not.toThrow();
  expect(() => host.pipeline('to-lake')).toThrow(
    /^pipeline 'to-lake' cannot run: plugin 'lake': config\/place waits for \$\{secret:lake\}: the store is sealed; put the key back/,
  );
  const told = logger.entries.filter(({ message }) => message === 'held: waits for a secret');
  expect(told.map(({ fields }) => [fields.plugin ?? fields.pipeline, fields.reason])).toEqual([
    ['lake', expect.stringContaining('put the key back')],
    ['bay', expect.stringContaining('put the key back')],
    ['timed', expect.stringContaining('put the key back')],
    ['to-lake', expect.stringContaining('put the key back')],
    ['to-bay', expect.stringContaining('put the key back')],
  ]);
  const { acme, pond } = Object.fromEntries(host.instances);
  await reloading.look();
  await reloading.look();
  expect(news()).toEqual([]);
  await store.put(stored);
  await reloading.look();
  expect(news()).toEqual(['applied']);
  expect(starts).toEqual(['lake one', 'bay two']);
  expect([host.instances.get('acme'), host.instances.get('pond')]).toEqual([acme, pond]);
  expect(() => host.pipeline('to-lake')).not.toThrow();
});

test('what runs is not held when the key goes away, and other changes wait for it', async () => {
  const { host, reloading, file, store, clock, news } = await following(secretive, {
    secrets: stored,
  });
  await reloading.look();
  const { instances } = host;
  await store.seal();
  await reloading.look();
  expect(news()).toEqual(['OCTO_SECRETS_SEALED']);
  await writeFile(file, secretive.replace('"pond" }', '"pond 2" }'));
  await reloading.look();
  expect(host.instances).toBe(instances);
  await store.unseal();
  await clock.advance(1);
  await reloading.look();
  expect(host.instances.get('pond')?.config.config).toEqual({ place: 'pond 2' });
});

test('while the store is sealed, what needs no secret is taken as ever', async () => {
  const { host, reloading, file, logger, starts } = await following(secretive);
  const told = logger.messages('error').length;
  await reloading.look();
  await writeFile(file, secretive.replace('"pond" }', '"pond 2" }'));
  await reloading.look();
  // What is held was told already.
  expect(logger.messages('error')).toHaveLength(told);
  expect(starts).toEqual(['pond 2']);
  expect([...host.instances.keys()]).toEqual(['acme', 'pond']);
});
