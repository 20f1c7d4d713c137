import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import type { Delivery } from '../../src/ledger/delivery.ts';
import { openWorkshop, pluginModule, shelfModule, type Workshop } from './workshop.ts';

/** A shelf whose files do to their reader what stands in them. */
const deadlyModule = pluginModule(
  'provider',
  `
  const all = Object.entries(config.files ?? {});
  const file = ([name, text]) => ({ path: name, name, size: Buffer.byteLength(text), mtimeMs: 1000, complete: true });
  const does = {
    kill: () => process.kill(process.pid, 'SIGKILL'),
    exit: () => process.exit(7),
  };
  return { settleMs: 0, connect: async () => ({
    list: async function* () { for (const one of all) yield file(one); },
    stat: async ({ name }) => file([name, config.files[name]]),
    read: async function* ({ name }) {
      const text = config.files[name];
      await new Promise((resolve) => setTimeout(resolve, 5));
      does[text.trim()]?.();
      yield Buffer.from(text);
    },
    async [Symbol.asyncDispose]() {},
  }) };`,
  `{ files: { type: 'object', additionalProperties: { type: 'string' } } }`,
);

const good = Object.fromEntries(
  Array.from({ length: 20 }, (_, n) => [`file-${String(n).padStart(2, '0')}.csv`, `row ${n}\n`]),
);

const quick = { backoffMs: 1, lookMs: 50, silentMs: 4000, termMs: 500 };

function manifest(files: object) {
  return {
    plugins: {
      deadly: { use: './plugins/deadly/index.mjs', config: { files } },
      shelf: { use: './plugins/shelf/index.mjs', config: { files: good } },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
      aside: { use: '@octo/sink-fs', config: { directory: './aside' } },
    },
    pipelines: {
      daily: { from: 'deadly', to: 'out', key: '{name}', doubleRead: false },
      healthy: { from: 'shelf', to: 'aside', key: '{name}', doubleRead: false },
    },
  };
}

async function prepared(): Promise<Workshop> {
  const workshop = await openWorkshop();
  await workshop.file('plugins/deadly/index.mjs', deadlyModule);
  await workshop.file('plugins/shelf/index.mjs', shelfModule);
  return workshop;
}

async function deliveryOf({ ledger }: Workshop, path: string): Promise<Delivery> {
  const found = await ledger.list({ pipeline: 'daily', match: path, limit: 2 });
  expect(found).toHaveLength(1);
  return found[0]!;
}

test('files that kill their reader are set aside, each by itself, and all others are delivered', async () => {
  const workshop = await prepared();
  const files = { 'poison.csv': 'kill\n', ...good, 'z-poison.csv': 'exit\n' };
  const { run, workers } = await workshop.host(manifest(files), { workers: quick });
  const [report, healthy] = await Promise.all([run('daily'), run('healthy')]);
  expect(healthy.delivered).toHaveLength(20);
  expect(workers()['healthy']).toMatchObject({ deaths: 0 });
  expect(report.delivered.map(({ path }) => path).toSorted()).toEqual(Object.keys(good));
  const setAside = (name: string, how: string) => ({
    path: name,
    reason: expect.stringContaining(
      `OCTO_FILE_POISON: '${name}' was the death of its worker 3 times with nothing else in hand; the last time the worker ${how}.`,
    ) as string,
  });
  expect(report.quarantined.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
    setAside('poison.csv', 'was ended by SIGKILL'),
    setAside('z-poison.csv', 'ended with exit code 7'),
  ]);
  expect(await workshop.contents('out')).toEqual(good);
  expect(workers()['daily']).toMatchObject({ deaths: 0, state: 'warm' });
}, 120_000);

/** A folder with its metadata beside it; kills its process when it commits: before it has, or after. */
const deadlySink = `
import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
${pluginModule(
  'sink',
  `
  const at = (key) => config.directory + '/' + key;
  return {
    place: 'file://' + config.directory, commits: 'conditional', completeGraceMs: 0, smallBytes: 1024,
    stage: async ({ key, metadata }) => ({
      id: key + '.' + metadata['octo-token'],
      write: async (chunk) => writeFileSync(at('.' + key), chunk, { flag: 'a' }),
      commit: async () => {
        if (key.startsWith('before')) process.kill(process.pid, 'SIGKILL');
        writeFileSync(at('.' + key + '.json'), JSON.stringify(metadata));
        linkSync(at('.' + key), at(key));
        if (key.startsWith('after')) process.kill(process.pid, 'SIGKILL');
        return { outcome: 'committed' };
      },
      async [Symbol.asyncDispose]() {},
    }),
    abort: async ({ key }) => { if (existsSync(at('.' + key))) unlinkSync(at('.' + key)); },
    head: async (key) => existsSync(at(key))
      ? { bytes: readFileSync(at(key)).length, metadata: JSON.parse(readFileSync(at('.' + key + '.json'), 'utf8')) }
      : undefined,
  };`,
  `{ directory: { type: 'string', access: 'write' } }`,
)}`;

test('what a sink dies of is set aside, and what it had committed before is found and not delivered twice', async () => {
  const workshop = await prepared();
  await workshop.file('plugins/sink/index.mjs', deadlySink);
  await workshop.file('kept/.keep', '');
  const files = { 'after.csv': 'a\n', 'before.csv': 'b\n', ...good };
  const { plugins, pipelines } = manifest(files);
  const kept = join(workshop.folder, 'kept');
  const out = { use: './plugins/sink/index.mjs', config: { directory: kept } };
  const value = { plugins: { ...plugins, out }, pipelines };
  const { run } = await workshop.host(value, { workers: quick });
  const report = await run('daily');
  expect(report.quarantined.map(({ path }) => path)).toEqual(['before.csv']);
  expect(report.delivered.map(({ path }) => path).toSorted()).toEqual([
    'after.csv',
    ...Object.keys(good),
  ]);
  expect(await workshop.contents('kept')).toEqual({ 'after.csv': 'a\n', ...good });
  const { id } = await deliveryOf(workshop, 'after.csv');
  const story = (await workshop.ledger.history(id)).map(({ event, detail }) => [event, detail]);
  expect(story.filter(([event]) => event === 'committed')).toEqual([['committed', 'adopted']]);
}, 120_000);

/** Dies at every third reading, whatever it reads. */
const frailModule = `
import { appendFileSync, readFileSync } from 'node:fs';
${shelfModule
  .replace(
    'yield Buffer.from(config.files[name])',
    `appendFileSync(config.book, '.');
      if (readFileSync(config.book).length % 3 === 0) process.kill(process.pid, 'SIGKILL');
      yield Buffer.from(config.files[name])`,
  )
  .replace('{ files: {', "{ book: { type: 'string', access: 'write' }, files: {")}`;

test('a worker that dies of nothing in particular ends in the quarantine of its pipeline, and of no file', async () => {
  const workshop = await prepared();
  await workshop.file('plugins/deadly/index.mjs', frailModule);
  await workshop.file('book', '');
  const { plugins, pipelines } = manifest(good);
  const book = join(workshop.folder, 'book');
  const deadly = { use: './plugins/deadly/index.mjs', config: { files: good, book } };
  const value = { plugins: { ...plugins, deadly }, pipelines };
  const { run, workers } = await workshop.host(value, { workers: quick });
  await expect(run('daily')).rejects.toMatchObject({ code: 'OCTO_WORKER_FAILED' });
  await expect(run('daily')).rejects.toMatchObject({ code: 'OCTO_WORKER_QUARANTINED' });
  expect(workers()['daily']).toMatchObject({ state: 'quarantined', deaths: 5 });
  const all = await workshop.ledger.list({ pipeline: 'daily', limit: 100 });
  expect(all.filter(({ state }) => state === 'QUARANTINED')).toEqual([]);
}, 120_000);

/** Says that it has begun to read, and lets go of nothing any more. */
const stubbornModule = `
import { writeFileSync } from 'node:fs';
${shelfModule
  .replace(
    'yield Buffer.from(config.files[name])',
    `writeFileSync(config.book + '/read', ''); for (;;); yield Buffer.from(config.files[name])`,
  )
  .replace('{ files: {', "{ book: { type: 'string', access: 'write' }, files: {")}`;

test('who does not let go of a stopped run is ended, and no file is suspected of it', async () => {
  const workshop = await prepared();
  await workshop.file('plugins/deadly/index.mjs', stubbornModule);
  await workshop.file('book/.keep', '');
  const { plugins, pipelines } = manifest({});
  const book = join(workshop.folder, 'book');
  const config = { files: { 'a.csv': 'a\n', 'b.csv': 'b\n' }, book };
  const deadly = { use: './plugins/deadly/index.mjs', config };
  const limits = { ...quick, letGoMs: 300 };
  const { host } = await workshop.host(
    { plugins: { ...plugins, deadly }, pipelines },
    { workers: limits },
  );
  const { ledger, logger } = workshop;
  const place = { ledger, logger, clock: systemClock, random: () => 0.5, spoolFolder: '' };
  const stop = new AbortController();
  const begun = appears(book, 'read');
  const run = host.run('daily', place, stop.signal);
  await begun;
  stop.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
  const left = await ledger.list({ pipeline: 'daily', limit: 10 });
  expect(left.map(({ reason, leaseUntil }) => [reason, leaseUntil])).toEqual([
    ['the run was stopped', undefined],
    ['the run was stopped', undefined],
  ]);
});

/** Resolves when a file of this name appears in the folder: another process makes it. */
async function appears(folder: string, name: string): Promise<void> {
  for await (const { filename } of watch(folder)) if (filename === name) return;
}
