#!/usr/bin/env node
// What workers cost. Needs the build (npm run build); then: node benchmarks/workers.mjs [rounds]
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsolatedHost } from '../packages/core/dist/host/isolated-host.js';
import { systemClock as clock } from '../packages/core/dist/host/system-clock.js';
import { openLedger } from '../packages/core/dist/ledger/open-ledger.js';
import { readManifest } from '../packages/core/dist/manifest/read-manifest.js';

const rounds = Number(process.argv[2] ?? 10);
const reloads = Number(process.argv[3] ?? 500);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const never = new AbortController().signal;

/** A vendor of one small file, whose first byte is a moment of the system's clock. */
const vendor = `
const configSchema = { type: 'object', additionalProperties: false, properties: { port: { type: 'integer' } } };
const file = { path: 'a.csv', name: 'a.csv', size: 4, mtimeMs: Date.now(), complete: true };
export default { $octo: '@octo/plugin', contract: 1, name: 'vendor', kind: 'provider', configSchema, inject: {},
  create: () => ({ settleMs: 0, connect: async () => ({
    list: async function* () { yield file; }, stat: async () => file,
    read: async function* () { yield Buffer.from('a,b\\n'); }, async [Symbol.asyncDispose]() {} }) }) };
`;

const folder = await mkdtemp(join(tmpdir(), 'octo-benchmark-'));
await mkdir(join(folder, 'vendor'));
await writeFile(join(folder, 'vendor/index.mjs'), vendor);
const file = join(folder, 'plugins.json');
const stateFolder = join(folder, '.octo');

/** Half vendors, half sinks, and a pipeline between each two; `port` is that of the first vendor. */
async function manifest(instances, port) {
  const numbers = Array.from({ length: instances / 2 }, (_, i) => i);
  const content = {
    plugins: Object.fromEntries([
      ...numbers.map((i) => [
        `vendor-${i}`,
        { use: './vendor/index.mjs', config: { port: i === 0 ? port : 22 } },
      ]),
      ...numbers.map((i) => [
        `out-${i}`,
        { use: '@octo/sink-fs', config: { directory: `./out/${i}` } },
      ]),
    ]),
    pipelines: Object.fromEntries(
      numbers.map((i) => [
        `p-${i}`,
        { from: `vendor-${i}`, to: `out-${i}`, key: '{name}', doubleRead: false },
      ]),
    ),
  };
  await writeFile(file, JSON.stringify(content));
  return await readManifest(file, { env: {} });
}

async function host(instances) {
  const options = { logger: silent, clock, stateFolder };
  return await IsolatedHost.create(await manifest(instances, 22), options);
}

const place = (ledger, onEvent) => ({
  ledger,
  clock,
  logger: silent,
  random: () => 0.5,
  spoolFolder: join(stateFolder, 'spool'),
  onEvent,
});

async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function measure(name, round) {
  const times = [];
  for (let i = 0; i < rounds + 2; i++) {
    const ms = await round(i);
    // The first ones warm up.
    if (i >= 2) times.push(ms);
  }
  times.sort((a, b) => a - b);
  const shown = [times[0], times[Math.floor(times.length / 2)], times.at(-1)];
  console.log(`${name.padEnd(62)} ${shown.map((ms) => ms.toFixed(1).padStart(8)).join('')}`);
}

/** From the wish to run until the run has told its first word of the file. */
async function firstByte(running, ledger, pipeline) {
  const began = performance.now();
  let ms;
  const onEvent = ({ event }) => {
    if (event === 'listed') ms ??= performance.now() - began;
  };
  await running.run(pipeline, place(ledger, onEvent), never);
  return ms;
}

const ledger = await openLedger({ stateFolder, logger: silent });
console.log(`${`${rounds} rounds, milliseconds`.padEnd(62)}      min  median     max`);
{
  await measure('cold: from the wish to run to the listing, process included', async () => {
    const running = await host(2);
    const ms = await firstByte(running, ledger, 'p-0');
    await running[Symbol.asyncDispose]();
    return ms;
  });
  const running = await host(2);
  await measure('warm: the same in a process that is there', () =>
    firstByte(running, ledger, 'p-0'),
  );
  await running[Symbol.asyncDispose]();
}
{
  const running = await host(100);
  await measure('100 instances, 1 changed: look, start, swap', async (i) => {
    const changed = await manifest(100, 1000 + i);
    return await timed(() => running.apply(changed, never));
  });
  await running[Symbol.asyncDispose]();
}
{
  const running = await host(1000);
  await measure('1,000 instances, none changed', async () => {
    const same = await manifest(1000, 22);
    return await timed(() => running.apply(same, never));
  });
  await running[Symbol.asyncDispose]();
}
{
  const running = await host(4);
  let runs = 0;
  let failed = 0;
  const over = new AbortController();
  const load = async () => {
    while (!over.signal.aborted) {
      await running.run('p-1', place(ledger), never).catch(() => (failed += 1));
      runs += 1;
    }
  };
  const seen = async () => ({
    heapMiB: (globalThis.gc?.(), process.memoryUsage().heapUsed / 1024 / 1024).toFixed(1),
    handles: process.getActiveResourcesInfo().length,
    files: (await readdir('/proc/self/fd')).length,
  });
  const loaded = load();
  for (let i = 0; i < 20; i++) await running.apply(await manifest(4, 100 + i), never);
  const before = await seen();
  const ms = await timed(async () => {
    for (let i = 0; i < reloads; i++) await running.apply(await manifest(4, 1000 + i), never);
  });
  const after = await seen();
  over.abort();
  await loaded;
  console.log(
    `${reloads} reloads in a row in ${(ms / 1000).toFixed(0)} s, while ${runs} runs of another pipeline went on: ${failed} failed`,
  );
  console.log('host before and after:', JSON.stringify(before), JSON.stringify(after));
  await running[Symbol.asyncDispose]();
}
await ledger[Symbol.asyncDispose]();
await rm(folder, { recursive: true });
