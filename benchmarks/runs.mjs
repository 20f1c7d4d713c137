#!/usr/bin/env node
// What the queue of runs costs. Needs the build (npm run build); then: node --expose-gc benchmarks/runs.mjs [queued] [pipelines]
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock as clock } from '../packages/core/dist/host/system-clock.js';
import { Dispatcher } from '../packages/core/dist/jobs/dispatcher.js';
import { openRuns } from '../packages/core/dist/jobs/open-runs.js';

const queued = Number(process.argv[2] ?? 10_000);
const pipelines = Number(process.argv[3] ?? 50);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const octoHost = fileURLToPath(new URL('../packages/core/bin/octo-host.mjs', import.meta.url));
const sinkFs = fileURLToPath(new URL('../packages/sink-fs', import.meta.url));

/** A vendor of one file whose bytes take a while: so long a run goes on. */
const vendor = `
const configSchema = { type: 'object', additionalProperties: false, properties: { ms: { type: 'integer' } } };
const file = { path: 'a.csv', name: 'a.csv', size: 4, mtimeMs: 1, complete: true };
export default { $octo: '@octo/plugin', contract: 1, name: 'vendor', kind: 'provider', configSchema, inject: {},
  create: ({ config }) => ({ settleMs: 0, connect: async () => ({
    list: async function* () { yield file; }, stat: async () => file,
    read: async function* () { await new Promise((go) => setTimeout(go, config.ms)); yield Buffer.from('a,b\\n'); },
    async [Symbol.asyncDispose]() {} }) }) };
`;

const folder = await mkdtemp(join(tmpdir(), 'octo-benchmark-'));
await mkdir(join(folder, 'vendor'));
await writeFile(join(folder, 'vendor/index.mjs'), vendor);
try {
  if (queued > 0) await drain();
  await restart();
  await stop();
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Runs that do nothing, so that what is measured is the queue. */
async function drain() {
  const report = {
    pipeline: 'p0',
    discovered: 0,
    delivered: [],
    duplicates: [],
    quarantined: [],
    failed: [],
    pending: [],
    warnings: [],
  };
  const options = { stateFolder: join(folder, 'drain'), clock, logger: silent, host: 'one' };
  await using queue = await openRuns(options);
  await queue.arrive();
  const asked = clock.monotonic();
  for (let n = 0; n < queued; n += 20)
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        queue.request({ pipeline: `p${i % 10}`, trigger: 'api', by: 'bench' }),
      ),
    );
  const requestMs = (clock.monotonic() - asked) / queued;
  const dispatcher = new Dispatcher({
    queue,
    clock,
    logger: silent,
    random: Math.random,
    redact: (text) => text,
    run: async () => report,
    graceMs: 1000,
    keepMs: 1e12,
  });
  const served = new Map(
    Array.from({ length: 10 }, (_, i) => [`p${i}`, { concurrency: 1, logger: silent }]),
  );
  const over = new AbortController();
  const began = clock.monotonic();
  dispatcher.serve(served);
  const ended = dispatcher.until(over.signal);
  const memory = [];
  for (;;) {
    await setTimeout(2000);
    globalThis.gc?.();
    const left = [...(await queue.depth()).values()].reduce((sum, one) => sum + one.queued, 0);
    memory.push(process.memoryUsage().heapUsed / 2 ** 20);
    if (left === 0) break;
  }
  const seconds = (clock.monotonic() - began) / 1000;
  over.abort();
  await ended;
  const [first, last, most] = [memory[0], memory.at(-1), Math.max(...memory)];
  say(`${queued} queued runs`, `asked for in ${requestMs.toFixed(1)} ms each`);
  say('drained', `${(queued / seconds).toFixed(0)} runs/s in 10 pipelines`);
  say(
    'heap of the host',
    `${first.toFixed(0)} MB after 2 s, ${last.toFixed(0)} MB at the end, ${most.toFixed(0)} MB at most`,
  );
}

/** kill -9 with a run on its way and others queued; then until the first file of the next process. */
async function restart() {
  const file = await manifest('restart', 1, 100, '1h');
  const state = join(folder, 'restart');
  const first = begin(file, state);
  await first.until('file delivered');
  first.child.kill('SIGKILL');
  await first.ended;
  const began = clock.monotonic();
  const second = begin(file, state);
  await second.until('vendor listed');
  say(
    'restart after kill -9',
    `${((clock.monotonic() - began) / 1000).toFixed(1)} s to the first run`,
  );
  second.child.kill('SIGTERM');
  await second.ended;
}

/** SIGTERM while every pipeline has a run that would go on for a minute. */
async function stop() {
  const file = await manifest('stop', pipelines, 60_000, '1h');
  const host = begin(file, join(folder, 'stop'));
  await host.until('vendor listed', pipelines);
  const began = clock.monotonic();
  host.child.kill('SIGTERM');
  const code = await host.ended;
  const seconds = ((clock.monotonic() - began) / 1000).toFixed(1);
  await using queue = await openRuns({ stateFolder: join(folder, 'stop'), clock, logger: silent });
  const back = [...(await queue.depth()).values()].reduce((sum, one) => sum + one.queued, 0);
  say(
    `SIGTERM with ${pipelines} runs going`,
    `exit ${code} after ${seconds} s, ${back} runs back in the queue`,
  );
}

async function manifest(name, count, ms, every) {
  const ids = Array.from({ length: count }, (_, i) => `p${i}`);
  const content = {
    plugins: {
      vendor: { use: './vendor/index.mjs', config: { ms } },
      out: { use: sinkFs, config: { directory: join(folder, `${name}-out`) } },
    },
    pipelines: Object.fromEntries(
      ids.map((id) => [
        id,
        { from: 'vendor', to: 'out', key: `${id}/{name}`, every, doubleRead: false },
      ]),
    ),
  };
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(content));
  return file;
}

function begin(file, state) {
  const argv = [octoHost, 'start', '--no-watch', '--log', 'json', '-m', file, '--state', state];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  let told = () => {};
  child.stderr.setEncoding('utf8').on('data', (more) => {
    text += more;
    told();
  });
  const ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  const until = async (words, times = 1) => {
    while (text.split(words).length <= times)
      await new Promise((resolve) => {
        told = resolve;
      });
  };
  return { child, ended, until };
}

function say(what, how) {
  console.log(`${what.padEnd(36)} ${how}`);
}
