import { chmod, cp, rename, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorkshop, pluginModule, shelfModule } from './workshop.ts';

const never = new AbortController().signal;
const alive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A large file whose second half waits until a file of this name lies in the folder of the gate. */
const gatedModule = pluginModule(
  'provider',
  `
  const half = Buffer.alloc(4 * 1024 * 1024, 'octo ');
  const file = { path: config.name, name: config.name, size: half.length * 2, mtimeMs: 1000, complete: true };
  const { readdirSync, writeFileSync } = fs;
  return { settleMs: 0, connect: async () => ({
    list: async function* () { yield file; },
    stat: async () => file,
    read: async function* () {
      for (let at = 0; at < half.length; at += 65536) yield half.subarray(at, at + 65536);
      writeFileSync(config.gate + '/under-way', '');
      while (!readdirSync(config.gate).includes('open')) await new Promise((resolve) => setTimeout(resolve, 10));
      for (let at = 0; at < half.length; at += 65536) yield half.subarray(at, at + 65536);
    },
    async [Symbol.asyncDispose]() {},
  }) };`,
  `{ name: { type: 'string', default: 'large.bin' }, gate: { type: 'string', access: 'write' } }`,
);
const fs = `import fs from 'node:fs';\n`;

/** Resolves when a file of this name appears in the folder: another process makes it. */
async function appears(folder: string, name: string): Promise<void> {
  for await (const { filename } of watch(folder)) if (filename === name) return;
}

test('a large transfer ends on the old sink, the next one uses the new, and both are whole', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/gated/index.mjs', fs + gatedModule);
  await workshop.file('gate/.keep', '');
  const gate = join(workshop.folder, 'gate');
  const manifest = (directory: string, name: string) => ({
    plugins: {
      gated: { use: './plugins/gated/index.mjs', config: { gate, name } },
      out: { use: '@octo/sink-fs', config: { directory } },
    },
    pipelines: { daily: { from: 'gated', to: 'out', key: '{name}', doubleRead: false } },
  });
  const { host, run } = await workshop.host(manifest('./old', 'large.bin'));
  const underWay = appears(gate, 'under-way');
  const first = run('daily');
  await underWay;
  const plan = await host.apply(await workshop.manifest(manifest('./new', 'next.bin')), never);
  expect(plan.plugins.started.map(({ id }) => id)).toEqual(['gated', 'out']);
  await writeFile(join(gate, 'open'), '');
  expect((await first).delivered.map(({ key }) => key)).toEqual(['large.bin']);
  expect((await run('daily')).delivered.map(({ key }) => key)).toEqual(['next.bin']);
  const [old, next] = [await workshop.contents('old'), await workshop.contents('new')];
  expect([Object.keys(old), Object.keys(next)]).toEqual([['large.bin'], ['next.bin']]);
  expect(old['large.bin']).toHaveLength(8 * 1024 * 1024);
  expect(next['next.bin']).toBe(old['large.bin']);
});

test('a secret of a file reaches the worker, which may not so much as look at the file', async () => {
  const workshop = await openWorkshop();
  const secretive = pluginModule(
    'provider',
    `
    if (config.password !== 'of a file') throw new Error('another one');
    return { settleMs: 0, connect: async () => ({
      list: async function* () {},
      async [Symbol.asyncDispose]() {},
    }) };`,
    `{ password: { type: 'string', secret: true } }`,
  );
  await workshop.file('plugins/secretive/index.mjs', secretive);
  await workshop.file('password', 'of a file');
  await chmod(join(workshop.folder, 'password'), 0o600);
  const { run } = await workshop.host({
    plugins: {
      secretive: {
        use: './plugins/secretive/index.mjs',
        config: { password: '${file:password}' },
      },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: { daily: { from: 'secretive', to: 'out', key: '{name}' } },
  });
  expect(await run('daily')).toMatchObject({ discovered: 0, failed: [] });
});

const failingSink = pluginModule(
  'sink',
  `
  const no = async () => { throw new Error('no'); };
  return { place: 'x://nowhere', commits: 'conditional', completeGraceMs: 0, smallBytes: 0, stage: no, abort: no, head: no,
    start: async () => { throw new Error('the bucket is not there'); } };`,
);

test('a manifest whose new sink cannot start leaves the old one running, and says why', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/shelf/index.mjs', shelfModule);
  await workshop.file('plugins/failing/index.mjs', failingSink);
  const manifest = (out: object) => ({
    plugins: {
      shelf: { use: './plugins/shelf/index.mjs', config: { files: { 'a.csv': 'a\n' } } },
      out,
    },
    pipelines: { daily: { from: 'shelf', to: 'out', key: '{name}', doubleRead: false } },
  });
  const good = { use: '@octo/sink-fs', config: { directory: './out' } };
  const { host, run, workers } = await workshop.host(manifest(good));
  await host.start(never);
  const before = workers()['daily']?.pid;
  const bad = await workshop.manifest(manifest({ use: './plugins/failing/index.mjs' }));
  await expect(host.apply(bad, never)).rejects.toThrow(
    /plugin 'out' did not start: the bucket is not there \(.*plugins\.json:1:\d+\)/,
  );
  expect(workers()['daily']?.pid).toBe(before);
  expect((await run('daily')).delivered.map(({ key }) => key)).toEqual(['a.csv']);
});

test('another version of a package is another generation: the old one ends its run, both at the same time', async () => {
  const workshop = await openWorkshop();
  const versioned = (version: string) =>
    fs + gatedModule.replace('path: config.name', `path: '${version}/' + config.name`);
  await workshop.file(
    'node_modules/acme/package.json',
    '{"name":"acme","version":"1.0.0","exports":"./index.mjs"}',
  );
  await workshop.file('node_modules/acme/index.mjs', versioned('one'));
  await workshop.file('gate/.keep', '');
  const gate = join(workshop.folder, 'gate');
  const value = {
    plugins: {
      acme: { use: 'acme', config: { gate } },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: {
      daily: { from: 'acme', to: 'out', key: '{path}', doubleRead: false, duplicates: 'off' },
    },
  };
  const { host, run, workers } = await workshop.host(value);
  const underWay = appears(gate, 'under-way');
  const first = run('daily');
  await underWay;
  const old = workers()['daily']?.pid;
  // As npm does it: the new folder takes the place of the old one.
  await cp(
    join(workshop.folder, 'node_modules/acme'),
    join(workshop.folder, 'node_modules/.acme-2'),
    { recursive: true },
  );
  await workshop.file(
    'node_modules/.acme-2/package.json',
    '{"name":"acme","version":"1.0.1","exports":"./index.mjs"}',
  );
  await workshop.file('node_modules/.acme-2/index.mjs', versioned('two'));
  await rename(
    join(workshop.folder, 'node_modules/acme'),
    join(workshop.folder, 'node_modules/.acme-1'),
  );
  await rename(
    join(workshop.folder, 'node_modules/.acme-2'),
    join(workshop.folder, 'node_modules/acme'),
  );
  const plan = await host.apply(await workshop.manifest(value), never);
  expect(plan.plugins).toMatchObject({ kept: ['out'], started: [{ id: 'acme', keys: ['code'] }] });
  const alsoUnderWay = appears(gate, 'under-way');
  const second = run('daily');
  await alsoUnderWay;
  const both = [old, workers()['daily']?.pid];
  expect(new Set(both).size).toBe(2);
  expect(both.map(alive)).toEqual([true, true]);
  await writeFile(join(gate, 'open'), '');
  expect((await first).delivered.map(({ path }) => path)).toEqual(['one/large.bin']);
  expect((await second).delivered.map(({ path }) => path)).toEqual(['two/large.bin']);
});

test('a worker stays warm between runs, is let go when it does nothing, and comes back', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/shelf/index.mjs', shelfModule);
  const value = {
    plugins: {
      shelf: { use: './plugins/shelf/index.mjs', config: { files: { 'a.csv': 'a\n' } } },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: {
      one: { from: 'shelf', to: 'out', key: 'one/{name}', doubleRead: false },
      two: { from: 'shelf', to: 'out', key: 'two/{name}', doubleRead: false },
    },
  };
  const { run, workers } = await workshop.host(value, { workers: { mostIdle: 1 } });
  await run('one');
  const first = workers()['one']?.pid;
  await run('one');
  expect(workers()['one']).toMatchObject({ pid: first, state: 'warm', deaths: 0 });
  await run('two');
  expect(workers()['one']).toEqual({
    pipeline: 'one',
    instances: ['shelf', 'out'],
    state: 'cold',
    deaths: 0,
  });
  await run('one');
  expect(workers()['one']?.pid).not.toBe(first);
});

const suicidal = pluginModule(
  'provider',
  `return { settleMs: 0, connect: () => process.exit(9) };`,
);

test('a worker that dies too often is quarantined until its plugin is another one', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/mortal/index.mjs', suicidal);
  const value = {
    plugins: {
      mortal: { use: './plugins/mortal/index.mjs' },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: { daily: { from: 'mortal', to: 'out', key: '{name}', doubleRead: false } },
  };
  const { host, run, workers } = await workshop.host(value, {
    workers: { mostDeaths: 2, backoffMs: 1 },
  });
  await expect(run('daily')).rejects.toMatchObject({
    code: 'OCTO_WORKER_FAILED',
    message: "the process of pipeline 'daily' ended with exit code 9",
  });
  expect(workers()['daily']).toMatchObject({ state: 'waiting', deaths: 1 });
  await expect(run('daily')).rejects.toMatchObject({ code: 'OCTO_WORKER_FAILED' });
  await expect(run('daily')).rejects.toMatchObject({
    code: 'OCTO_WORKER_QUARANTINED',
    message: expect.stringContaining('died 2 times; the last one ended with exit code 9') as string,
  });
  expect(workers()['daily']).toMatchObject({
    state: 'quarantined',
    deaths: 2,
    reason: 'ended with exit code 9',
  });
  await workshop.file('plugins/mortal/index.mjs', shelfModule);
  await host.apply(await workshop.manifest(value), never);
  expect(await run('daily')).toMatchObject({ discovered: 0, failed: [] });
});

test('a plugin that does not start is tried again by the next run', async () => {
  const workshop = await openWorkshop();
  await workshop.file(
    'plugins/late/index.mjs',
    fs +
      shelfModule
        .replace(
          'settleMs: 0,',
          `settleMs: 0, start: async () => { if (!fs.existsSync(config.files.sign)) throw new Error('the vendor moves house'); },`,
        )
        .replace(`files: { type`, `sign: { type: 'string', access: 'read' }, files: { type`)
        .replace('config.files.sign', 'config.sign'),
  );
  const sign = join(workshop.folder, 'sign');
  const { host, run } = await workshop.host({
    plugins: {
      late: { use: './plugins/late/index.mjs', config: { sign } },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: { daily: { from: 'late', to: 'out', key: '{name}', doubleRead: false } },
  });
  await host.start(never);
  expect(host.instances.get('late')?.state).toMatchObject({ state: 'failed' });
  await expect(run('daily')).rejects.toThrow("plugin 'late' did not start: the vendor moves house");
  await writeFile(sign, '');
  expect(await run('daily')).toMatchObject({ failed: [] });
});

test('what a run is narrowed to holds in its worker, too', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/shelf/index.mjs', shelfModule);
  const { run } = await workshop.host({
    plugins: {
      shelf: {
        use: './plugins/shelf/index.mjs',
        config: { files: { 'a.csv': 'x', 'b.csv': 'y' } },
      },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: { daily: { from: 'shelf', to: 'out', key: '{name}' } },
  });
  expect((await run('daily', { path: 'b*' })).delivered.map(({ path }) => path)).toEqual(['b.csv']);
  expect((await run('daily', { since: 1001 })).discovered).toBe(0);
  expect(await workshop.contents('out')).toEqual({ 'b.csv': 'y' });
});
