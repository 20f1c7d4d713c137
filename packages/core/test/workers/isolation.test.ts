import { readFile } from 'node:fs/promises';
import type { Diagnosis } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { openWorkshop, pluginModule, shelfModule } from './workshop.ts';

/** Each tries to get at something; what it got, or the code of the error. */
const PROBES: Readonly<Record<string, string>> = {
  'the environment of the host': `JSON.stringify(process.env)`,
  'its own environment in /proc': `fs.readFileSync('/proc/self/environ', 'utf8')`,
  'the environment of its parent in /proc': `fs.readFileSync('/proc/' + process.ppid + '/environ', 'utf8')`,
  'the manifest': `fs.readFileSync(baseFolder + '/plugins.json', 'utf8')`,
  'a key file beside the manifest': `fs.readFileSync(baseFolder + '/keys/other', 'utf8')`,
  'the same by a path with dots': `fs.readFileSync(import.meta.dirname + '/../../keys/other', 'utf8')`,
  'the same as a module': `JSON.stringify((await import(baseFolder + '/keys/other.json', { with: { type: 'json' } })).default)`,
  'the same by require': `JSON.stringify(createRequire(import.meta.url)(baseFolder + '/keys/other.json'))`,
  'the same through a link of its own': `(fs.symlinkSync(baseFolder + '/keys/other', process.cwd() + '/link'), fs.readFileSync(process.cwd() + '/link', 'utf8'))`,
  'the same through a link that leads up, folder by folder': `(fs.symlinkSync('..', process.cwd() + '/up'), fs.symlinkSync('up/..', process.cwd() + '/higher'), fs.symlinkSync('higher/../keys', process.cwd() + '/keys'), fs.readFileSync(process.cwd() + '/keys/other', 'utf8'))`,
  'a place to write through a link': `fs.writeFileSync(process.cwd() + '/up-again/../../../../written', fs.symlinkSync('../../..', process.cwd() + '/up-again') ?? 'x')`,
  'the same through a hard link': `(fs.linkSync(baseFolder + '/keys/other', process.cwd() + '/hard'), fs.readFileSync(process.cwd() + '/hard', 'utf8'))`,
  'the same by SQLite': `String(process.getBuiltinModule('node:sqlite'))`,
  'the folder of the manifest': `String(fs.readdirSync(baseFolder))`,
  'the state folder': `String(fs.readdirSync(baseFolder + '/.octo'))`,
  "another pipeline's folder": `String(fs.readdirSync(baseFolder + '/.octo/workers/other'))`,
  "another pipeline's spool": `String(fs.readdirSync(baseFolder + '/.octo/spool/other'))`,
  'a place to write': `fs.writeFileSync(baseFolder + '/written', 'x')`,
  'its own code, to change it': `fs.writeFileSync(import.meta.filename, 'x')`,
  'a process': `child.execSync('cat ' + baseFolder + '/keys/other').toString()`,
  'a thread': `new threads.Worker('1', { eval: true }) && 'a thread'`,
  'a library': `process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')`,
  'the inside of Node': `String(process.binding('fs').open)`,
  'an inspector': `(inspector.open(0), 'opened')`,
  'a dump of its memory on the disk': `v8.writeHeapSnapshot(baseFolder + '/heap')`,
  'another working folder': `(process.chdir('/'), process.cwd())`,
  'a signal to its host': `process.kill(process.ppid, 0) && 'signalled'`,
  'a debugger in its host': `(process._debugProcess(process.ppid), 'signalled')`,
  'the time of its host': `(os.setPriority(process.ppid, 5), 'taken')`,
  'a packet': `(dgram.createSocket('udp4').close(), 'a socket')`,
  'a packet, by the class': `(new (process.getBuiltinModule('dgram').Socket)('udp4').close(), 'a socket')`,
  'a copy of a link, as a tree': `(fs.cpSync(import.meta.dirname, process.cwd() + '/copy', { recursive: true, verbatimSymlinks: true }), 'copied')`,
  'a dump of its memory when that is full': `(v8.setHeapSnapshotNearHeapLimit(1), 'set')`,
  'another group': `(process.setgroups([65534]), 'joined')`,
  'another user': `(process.setuid(process.getuid()), 'became')`,
};

const prober = pluginModule(
  'provider',
  `return { settleMs: 0, connect: async () => { throw new Error('not here'); }, diagnose: async function* () {
    ${Object.entries(PROBES)
      .map(
        ([name, code]) => `
    try { yield { step: ${JSON.stringify(name)}, outcome: 'warned', detail: 'GOT ' + String(${code}) }; }
    catch (error) { yield { step: ${JSON.stringify(name)}, outcome: 'passed', detail: error.code ?? error.message }; }`,
      )
      .join('\n')}
  } };`,
);
const imports = `
import dgram from 'node:dgram'; import os from 'node:os'; import fs from 'node:fs'; import child from 'node:child_process'; import threads from 'node:worker_threads';
import inspector from 'node:inspector'; import v8 from 'node:v8'; import { createRequire } from 'node:module'; import net from 'node:net';
`;

async function findings(steps: AsyncIterable<Diagnosis> | undefined) {
  const found: Record<string, string> = {};
  for await (const { step, detail } of steps ?? []) found[step] = detail;
  return found;
}

const never = new AbortController().signal;

test("a plugin in a worker gets at no other's secret, not at the host's environment, and at no file outside of its folder", async () => {
  const secrets = { OTHER_TOKEN: 'canary-in-the-environment', HOME_SECRET: 'canary-of-the-host' };
  const workshop = await openWorkshop(secrets);
  await workshop.file('plugins/prober/index.mjs', imports + prober);
  await workshop.file('plugins/shelf/index.mjs', shelfModule);
  await workshop.file('keys/other', 'canary-in-a-file');
  await workshop.file('keys/other.json', '{"key":"canary-in-a-file"}');
  const { host, run } = await workshop.host({
    plugins: {
      prober: { use: './plugins/prober/index.mjs' },
      shelf: {
        use: './plugins/shelf/index.mjs',
        config: { files: { 'a.csv': '${env:OTHER_TOKEN}' } },
      },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: {
      probed: { from: 'prober', to: 'out', key: '{name}' },
      other: { from: 'shelf', to: 'out', key: '{name}', doubleRead: false },
    },
  });
  await host.start(never);
  await run('other');
  const found = await findings(host.instances.get('prober')?.plugin.diagnose?.(never));
  expect(Object.keys(found)).toEqual(Object.keys(PROBES));
  const got = Object.entries(found).filter(([, detail]) => detail.startsWith('GOT '));
  expect(got.map(([name]) => name)).toEqual(['the environment of the host', 'the same by SQLite']);
  // What it got is its own: a handful of variables that the host makes, and a module that is not there.
  expect(
    Object.keys(JSON.parse(found['the environment of the host']!.slice(4)) as object),
  ).not.toContain('PATH');
  expect(found['the same by SQLite']).toBe('GOT undefined');
  expect(JSON.stringify(found)).not.toContain('canary');
});

test.runIf(process.platform === 'linux')(
  'a plugin writes nothing into the list of processes, where every user would read it',
  async () => {
    const workshop = await openWorkshop();
    const titled = pluginModule(
      'provider',
      `const title = process.title; process.title = config.secret;
      return { settleMs: 0, connect: async () => { throw new Error('not here'); }, diagnose: async function* () {
        yield { step: 'titles', outcome: 'passed', detail: String(process.title === title) };
      } };`,
      `{ secret: { type: 'string', secret: true } }`,
    );
    await workshop.file('plugins/titled/index.mjs', titled);
    const { host, workers } = await workshop.host({
      plugins: {
        titled: { use: './plugins/titled/index.mjs', config: { secret: 'canary-in-a-title' } },
        out: { use: '@octo/sink-fs', config: { directory: './out' } },
      },
      pipelines: { titles: { from: 'titled', to: 'out', key: '{name}' } },
    });
    await host.start(never);
    expect(await findings(host.instances.get('titled')?.plugin.diagnose?.(never))).toEqual({
      titles: 'true',
    });
    const { pid } = workers()['titles']!;
    for (const file of ['cmdline', 'comm'])
      expect(await readFile(`/proc/${pid}/${file}`, 'latin1')).not.toContain('canary');
    expect(await readFile(`/proc/${pid}/cmdline`, 'latin1')).toContain('worker');
  },
);

const connector = pluginModule(
  'provider',
  `return { settleMs: 0, connect: async () => { throw new Error('not here'); }, diagnose: async function* () {
    const answer = await new Promise((resolve) => {
      try { net.connect(9, '127.0.0.1').on('error', (error) => resolve(error.code)).on('connect', () => resolve('connected')); }
      catch (error) { resolve(error.code); }
    });
    yield { step: 'connect', outcome: 'passed', detail: answer };
  } };`,
);

test.each([
  [
    'the plugin says that it needs none',
    connector.replace('inject: {},', 'inject: {}, network: false,'),
    {},
  ],
  ['the operator allows none', connector, { allow: { network: false } }],
])('there is no network when %s', async (_, module, more) => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/quiet/index.mjs', imports + module);
  await workshop.file('plugins/free/index.mjs', imports + connector);
  const { host } = await workshop.host({
    plugins: {
      quiet: { use: './plugins/quiet/index.mjs', ...more },
      free: { use: './plugins/free/index.mjs', allow: { hosts: ['127.0.0.1'] } },
    },
  });
  await host.start(never);
  const ask = (id: string) => findings(host.instances.get(id)?.plugin.diagnose?.(never));
  expect(await ask('quiet')).toEqual({ connect: 'ERR_ACCESS_DENIED' });
  expect(await ask('free')).toEqual({ connect: 'ECONNREFUSED' });
});

const reader = pluginModule(
  'provider',
  `return { settleMs: 0, connect: async () => { throw new Error('not here'); }, diagnose: async function* () {
    const at = (path) => { try { return fs.readFileSync(baseFolder + path, 'utf8'); } catch (error) { return error.code; } };
    yield { step: 'given', outcome: 'passed', detail: at('/given/file') };
    yield { step: 'allowed', outcome: 'passed', detail: at('/allowed/file') };
    yield { step: 'beside', outcome: 'passed', detail: at('/beside/file') };
    yield { step: 'env', outcome: 'passed', detail: [process.env.AWS_PROFILE, process.env.AWS_OTHER, process.env.OCTO_STATE, process.env.PLAIN].join() };
  } };`,
  `{ folder: { type: 'string', access: 'read' } }`,
);

test('what the configuration names as a path and what the operator allows is open, and nothing beside it', async () => {
  const workshop = await openWorkshop({
    AWS_PROFILE: 'finance',
    AWS_OTHER: 'too',
    OCTO_STATE: 'hidden',
    PLAIN: 'hidden',
  });
  await workshop.file('plugins/reader/index.mjs', imports + reader);
  for (const folder of ['given', 'allowed', 'beside'])
    await workshop.file(`${folder}/file`, `in ${folder}`);
  const { host } = await workshop.host({
    plugins: {
      reader: {
        use: './plugins/reader/index.mjs',
        config: { folder: './given' },
        allow: { read: ['./allowed'], env: ['AWS_*', 'O*'] },
      },
    },
  });
  await host.start(never);
  expect(await findings(host.instances.get('reader')?.plugin.diagnose?.(never))).toEqual({
    given: 'in given',
    allowed: 'in allowed',
    beside: 'ERR_ACCESS_DENIED',
    env: 'finance,too,,',
  });
});
