#!/usr/bin/env node
// What the API costs. Needs the build (npm run build); then: node benchmarks/api.mjs [seconds] [runs]
// First as fast as 16 connections can ask, then 500 a second, each measured from its due moment. CPU is that of the process
// which answers, without PostgreSQL: what it costs on a machine that has other work, too. The ledger holds 10,000 files. At the
// end 500 a second of a host that is a process of its own, first idle and then with 50 runs going.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { runHost, startHost, writeManifest } from './host-process.mjs';

/** The figure of the issue; a paced client cannot be slowed down by what it measures. */
const PACE = 500;
const CONNECTIONS = 16;
const FILES = 10_000;
const RUNS = Number(process.argv[3] ?? 50);

if (process.argv[2] === '--client') await client();
else await measure(Number(process.argv[2] ?? 5));

/** The other process: asks as often as it is told, and answers with how long each answer took, in milliseconds. */
async function client() {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const ask = (url, headers) =>
    new Promise((resolve, reject) => {
      const asked = request(url, { agent, headers }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      });
      asked.once('error', reject);
      asked.end();
    });
  for await (const [{ url, headers, seconds, pace }] of messages()) {
    const end = performance.now() + seconds * 1000;
    const times = [];
    let refused = 0;
    const timed = async (began) => {
      if ((await ask(url, headers)) !== 200) refused += 1;
      times.push(performance.now() - began);
    };
    if (pace === undefined) await flatOut(timed, end);
    else await paced(timed, end, pace);
    process.send({ times, refused });
  }
}

async function* messages() {
  const gone = new AbortController();
  process.once('disconnect', () => gone.abort());
  while (!gone.signal.aborted) {
    const message = await once(process, 'message', { signal: gone.signal }).catch(() => undefined);
    if (message !== undefined) yield message;
  }
}

async function flatOut(timed, end) {
  const one = async () => {
    while (performance.now() < end) await timed(performance.now());
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
}

/** Each request has its moment and is measured from there, so that one that had to wait for others counts as late. */
async function paced(timed, end, pace) {
  const going = [];
  const first = performance.now();
  for (let i = 0; first + (i * 1000) / pace < end; i++) {
    const due = first + (i * 1000) / pace;
    const waitMs = due - performance.now();
    if (waitMs > 0) await delay(waitMs);
    going.push(timed(due));
  }
  await Promise.all(going);
}

async function measure(seconds) {
  const child = fork(new URL(import.meta.url), ['--client']);
  const load = async (wish) => {
    child.send(wish);
    const [{ times, refused }] = await once(child, 'message');
    if (refused > 0) throw new Error(`${refused} of ${times.length} requests were refused`);
    return times.toSorted((a, b) => a - b);
  };
  const row = async (name, target) => {
    await load({ ...target, seconds: 1 });
    const cpu = process.cpuUsage();
    const most = await load({ ...target, seconds });
    const { user, system } = process.cpuUsage(cpu);
    const even = await load({ ...target, seconds, pace: PACE });
    const perRequest = ((user + system) / most.length).toFixed(0);
    const ms = [at(most, 0.99), at(even, 0.5), at(even, 0.99)].map((one) => one.toFixed(1));
    const cells = [(most.length / seconds).toFixed(0), perRequest, ...ms];
    console.log(`${name.padEnd(48)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  };
  const heads = ['requests/s', 'CPU µs each', 'p99 ms', `median @${PACE}`, `p99 @${PACE}`];
  console.log(`${''.padEnd(48)}${heads.map((head) => head.padStart(12)).join('')}`);
  try {
    await using plain = await openPlain();
    await row('plain fastify, no authentication', { url: `${plain.url}/pipelines`, headers: {} });
    const api = await openOcto();
    const { headers } = api;
    await row('GET /v1/pipelines, with a key', { url: `${api.url}/v1/pipelines`, headers });
    await row('GET /v1/files, with a key', { url: `${api.url}/v1/files?limit=20`, headers });
    const token = { authorization: `Bearer ${await tokenOf(api)}` };
    await row('GET /v1/pipelines, with a token', {
      url: `${api.url}/v1/pipelines`,
      headers: token,
    });
    await api[Symbol.asyncDispose]();
    for (const runs of [0, RUNS]) await besideRuns(load, seconds, runs);
  } finally {
    child.disconnect();
  }
}

/** 500 a second of a host with so many runs going, each in a worker of its own. */
async function besideRuns(load, seconds, runs) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-benchmark-'));
  try {
    const host = { api: { port: 0 }, limits: { requestsPerSecond: 100_000 } };
    const wanted = { count: Math.max(runs, 1), ms: runs === 0 ? 100 : 3_600_000, host };
    const file = await writeManifest(folder, 'busy', wanted);
    const state = join(folder, 'state');
    const octo = startHost(file, state);
    await octo.until('the API listens');
    await octo.until('vendor listed', wanted.count);
    if (runs === 0) await octo.until('run finished');
    const url = /"url":"(http[^"]+)"/.exec(octo.log())[1];
    const scopes = 'pipelines:read,runs:read,files:read';
    const at = ['-m', file, '--state', state];
    const made = runHost(['keys', 'create', '--name', 'bench', '--scope', scopes, ...at]);
    const headers = { authorization: `Bearer ${(await textOf(made.stdout)).trim()}` };
    for (const path of ['/v1/pipelines', '/v1/runs?limit=20', '/v1/files?limit=20']) {
      const target = { url: `${url}${path}`, headers, pace: PACE };
      await load({ ...target, seconds: 2 });
      told(`GET ${path}, ${runs} runs going`, await load({ ...target, seconds }));
    }
    octo.child.kill('SIGKILL');
    await octo.ended;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  }
}

function told(name, even) {
  const cells = ['', '', '', at(even, 0.5).toFixed(1), at(even, 0.99).toFixed(1)];
  console.log(`${name.padEnd(48)}${cells.map((cell) => cell.padStart(12)).join('')}`);
}

function at(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The same answer without any of ours around it. */
async function openPlain() {
  const ofCore = createRequire(new URL('../packages/core/package.json', import.meta.url));
  const fastify = ofCore('fastify');
  const app = fastify();
  const pipelines = [{ id: 'p', from: 'vendor', to: 'out', enabled: true, running: 0, queued: 0 }];
  app.get('/pipelines', async () => ({ pipelines }));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, [Symbol.asyncDispose]: () => app.close() };
}

/** The whole API over a real database. Runs are asked for by nobody here: the queue has its own figures. */
async function openOcto() {
  const dist = (path) => import(new URL(`../packages/core/dist/${path}`, import.meta.url));
  const { openApi } = await dist('api/open-api.js');
  const { APP_DEFAULTS } = await dist('api/build-app.js');
  const { openKeys } = await dist('auth/open-auth.js');
  const { noAudit } = await dist('audit/audit-trail.js');
  const { InProcessHost } = await dist('host/in-process-host.js');
  const { systemClock: clock } = await dist('host/system-clock.js');
  const { openDatabase, openLedger } = await dist('ledger/open-ledger.js');
  const { readManifest } = await dist('manifest/read-manifest.js');
  const { Metrics } = await dist('observe/metrics.js');
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'octo-benchmark-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const stateFolder = join(folder, '.octo');
  const manifest = await readManifest(await written(folder), { env: {} });
  const options = { logger, clock, stateFolder, isolation: 'none' };
  const host = opening.use(await InProcessHost.create(manifest, options));
  await host.start(new AbortController().signal);
  const ledger = opening.use(await openLedger({ stateFolder, logger }));
  const { database } = opening.use(await openDatabase({ stateFolder, logger }));
  await fill(database);
  const { store } = await openKeys(database, stateFolder);
  const wanted = ['pipelines:read', 'files:read'].map((action) => ({ action }));
  const { key, text } = await store.create({ name: 'benchmark', scopes: wanted });
  const { url } = opening.use(
    await openApi({
      settings: {
        ...APP_DEFAULTS,
        address: '127.0.0.1',
        port: 0,
        insecure: false,
        requestsPerSecond: 1_000_000,
      },
      host,
      runs: { depth: async () => new Map(), list: async () => ({ runs: [] }) },
      ledger,
      audit: noAudit,
      metrics: new Metrics(),
      reload: async () => ({ outcome: 'same' }),
      judge: async () => {},
      stateFolder,
      env: {},
      clock,
      logger,
    }),
  );
  const opened = opening.move();
  const headers = { authorization: `Bearer ${text}` };
  return { url, id: key.id, text, headers, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Files of other days, so that a page is full and the ledger not empty. */
async function fill(database) {
  await database.query(
    `insert into octo.delivery (id, pipeline, sink, path, size, mtime, name, location, wanted_key, state, attempt)
     select encode(sha256(n::text::bytea), 'hex'), 'p', 'file:///out', ('in/' || n)::bytea, 4, n, ('f' || n)::bytea,
       ('in/' || n)::bytea, 'f' || n, 'SUPERSEDED', 1 from generate_series(1, ${FILES}) n`,
  );
  await database.query('analyze octo.delivery');
}

async function written(folder) {
  await mkdir(join(folder, 'in'));
  await mkdir(join(folder, 'out'));
  const vendor = `export default { $octo: '@octo/plugin', contract: 1, name: 'vendor', kind: 'provider',
    configSchema: { type: 'object', additionalProperties: false }, inject: {},
    create: () => ({ settleMs: 0, connect: async () => ({ async [Symbol.asyncDispose]() {} }) }) };`;
  await mkdir(join(folder, 'vendor'));
  await writeFile(join(folder, 'vendor/index.mjs'), vendor);
  const file = join(folder, 'plugins.json');
  const plugins = {
    vendor: { use: './vendor/index.mjs' },
    out: { use: '@octo/sink-fs', config: { directory: './out' } },
  };
  const pipelines = { p: { from: 'vendor', to: 'out', key: '{name}' } };
  await writeFile(file, JSON.stringify({ plugins, pipelines }));
  return file;
}

async function tokenOf({ url, id, text }) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: id,
    client_secret: text,
  });
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body });
  return (await answer.json()).access_token;
}
