#!/usr/bin/env node
// What the queue of runs costs. Needs the build (npm run build); then: node --expose-gc benchmarks/runs.mjs [queued] [pipelines]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { systemClock as clock } from '../packages/core/dist/host/system-clock.js';
import { Dispatcher } from '../packages/core/dist/jobs/dispatcher.js';
import { openRuns } from '../packages/core/dist/jobs/open-runs.js';
import { startHost, writeManifest } from './host-process.mjs';

const queued = Number(process.argv[2] ?? 10_000);
const pipelines = Number(process.argv[3] ?? 50);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const folder = await mkdtemp(join(tmpdir(), 'octo-benchmark-'));
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
  const over = new AbortController();
  const ended = dispatcher.until(over.signal);
  // What the second round adds to the first is growth; what the first adds is warming up.
  for (const round of ['first', 'second']) await drainOnce(round, queue, dispatcher);
  over.abort();
  await ended;
}

async function drainOnce(round, queue, dispatcher) {
  dispatcher.serve(new Map());
  const asked = clock.monotonic();
  for (let n = 0; n < queued; n += 20)
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        queue.request({ pipeline: `p${i % 10}`, trigger: 'api', by: 'bench' }),
      ),
    );
  const requestMs = (clock.monotonic() - asked) / queued;
  const before = memoryNow();
  const began = clock.monotonic();
  const pipelines = Array.from({ length: 10 }, (_, i) => [
    `p${i}`,
    { concurrency: 1, logger: silent },
  ]);
  dispatcher.serve(new Map(pipelines));
  const samples = [];
  for (let left = queued; left > 0;) {
    await setTimeout(2000);
    samples.push(memoryNow());
    left = [...(await queue.depth()).values()].reduce((sum, one) => sum + one.queued, 0);
  }
  const seconds = (clock.monotonic() - began) / 1000;
  say(`${round} ${queued} queued runs`, `asked for in ${requestMs.toFixed(1)} ms each`);
  say(`${round} round drained`, `${(queued / seconds).toFixed(0)} runs/s in 10 pipelines`);
  for (const kind of ['heapUsed', 'rss']) {
    const last = samples.at(-1)[kind];
    const most = Math.max(...samples.map((one) => one[kind]));
    const words = [before[kind], last, most].map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`);
    say(`${round} ${kind}`, `${words[0]} before, ${words[1]} at the end, ${words[2]} at most`);
  }
}

function memoryNow() {
  globalThis.gc?.();
  return process.memoryUsage();
}

/** kill -9 with a run on its way and others queued; then until the first file of the next process. */
async function restart() {
  const file = await writeManifest(folder, 'restart', { count: 1, ms: 100 });
  const state = join(folder, 'restart');
  const first = startHost(file, state);
  await first.until('file delivered');
  first.child.kill('SIGKILL');
  await first.ended;
  const began = clock.monotonic();
  const second = startHost(file, state);
  await second.until('vendor listed');
  say(
    'restart after kill -9',
    `${((clock.monotonic() - began) / 1000).toFixed(1)} s to the first run`,
  );
  second.child.kill('SIGTERM');
  await second.ended;
}

/** SIGTERM while every pipeline has a run that would go on for two minutes and ignores its abort. */
async function stop() {
  const file = await writeManifest(folder, 'stop', { count: pipelines, ms: 120_000 });
  const host = startHost(file, join(folder, 'stop'));
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

function say(what, how) {
  console.log(`${what.padEnd(36)} ${how}`);
}
