#!/usr/bin/env node
// What a reload costs. Needs the build (npm run build); then: node benchmarks/reload.mjs [rounds]
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InProcessHost } from '../packages/core/dist/host/in-process-host.js';
import { Reloading } from '../packages/core/dist/host/reloading.js';
import { systemClock as clock } from '../packages/core/dist/host/system-clock.js';
import { readManifest } from '../packages/core/dist/manifest/read-manifest.js';
import { watchManifest } from '../packages/core/dist/manifest/watch.js';
import { definePlugin } from '../packages/plugin-api/dist/index.js';

const rounds = Number(process.argv[2] ?? 30);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const configSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['host'],
  properties: {
    host: { type: 'string', format: 'hostname' },
    port: { type: 'integer', minimum: 1, maximum: 65_535, default: 22 },
    password: { type: 'string', secret: true },
    paths: { type: 'array', items: { type: 'string' }, default: ['/'] },
  },
};
const never = () => Promise.reject(new Error('not in a benchmark'));
const plugins = {
  vendor: definePlugin({
    name: 'vendor',
    kind: 'provider',
    configSchema,
    create: () => ({ settleMs: 0, connect: never, start: async () => {} }),
  }),
  lake: definePlugin({
    name: 'lake',
    kind: 'sink',
    configSchema,
    create: ({ id }) => ({
      place: id,
      commits: 'conditional',
      completeGraceMs: 0,
      smallBytes: 0,
      stage: never,
      abort: never,
      head: never,
    }),
  }),
};

/** Half vendors, half sinks, and a pipeline between each two. `changed` is the port of the first vendor. */
function manifest(instances, changed, comment) {
  const entries = (use) =>
    Array.from({ length: instances / 2 }, (_, i) => [
      `${use}-${i}`,
      {
        use,
        config: {
          host: `${use}-${i}.example.com`,
          port: use === 'vendor' && i === 0 ? changed : 22,
          password: `\${env:PASSWORD}-${i}`,
        },
      },
    ]);
  const pipelines = Array.from({ length: instances / 2 }, (_, i) => [
    `pipeline-${i}`,
    { from: `vendor-${i}`, to: `lake-${i}`, key: '{pipeline}/{name}', schedule: '45 3 * * 2-6' },
  ]);
  const content = {
    plugins: Object.fromEntries([...entries('vendor'), ...entries('lake')]),
    pipelines: Object.fromEntries(pipelines),
  };
  return `// ${comment}\n${JSON.stringify(content, undefined, 2)}\n`;
}

async function following(instances) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-benchmark-'));
  const file = join(folder, 'plugins.json');
  const read = () => readManifest(file, { env: { PASSWORD: 'correct horse' } });
  await writeFile(file, manifest(instances, 22, 'first'));
  const host = await InProcessHost.create(await read(), {
    logger: silent,
    clock,
    stateFolder: join(folder, '.octo'),
    stepKinds: [],
    loadPlugin: async (use) => plugins[use],
  });
  const { signal } = new AbortController();
  await host.start(signal);
  let told = () => {};
  const tell = (reload) => told(reload);
  const reloading = new Reloading({ host, read, clock, tell, signal });
  return {
    reloading,
    file,
    write: (...args) => writeFile(file, manifest(instances, ...args)),
    next: (outcome) =>
      new Promise((resolve) => {
        told = (reload) => reload.outcome === outcome && resolve();
      }),
    end: async () => {
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

async function measure(name, round) {
  const times = [];
  for (let i = 0; i < rounds + 3; i++) {
    const ms = await round(i);
    // The first ones warm up.
    if (i >= 3) times.push(ms);
  }
  times.sort((a, b) => a - b);
  const shown = [times[0], times[Math.floor(times.length / 2)], times.at(-1)];
  console.log(`${name.padEnd(62)} ${shown.map((ms) => ms.toFixed(1).padStart(8)).join('')}`);
}

async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

console.log(`${`${rounds} rounds, milliseconds`.padEnd(62)}      min  median     max`);
{
  const { reloading, write, end } = await following(100);
  await measure('100 instances, 1 changed: read, plan, stage, swap', async (i) => {
    await write(1000 + i, 'changed');
    return await timed(() => reloading.reload());
  });
  await end();
}
{
  const { reloading, file, write, next, end } = await following(100);
  const look = () => reloading.look();
  const watch = watchManifest({ file, clock, logger: silent, look });
  await next('unchanged');
  await measure('100 instances, 1 changed: from the write to the swap, watched', async (i) => {
    const applied = next('applied');
    return await timed(async () => {
      await write(1000 + i, 'changed');
      await applied;
    });
  });
  await watch[Symbol.asyncDispose]();
  await end();
}
{
  const { reloading, write, end } = await following(1000);
  await measure('1,000 instances, the same content: one look', () => timed(() => reloading.look()));
  await measure('1,000 instances, none changed: another comment', async (i) => {
    await write(22, `comment ${i}`);
    return await timed(() => reloading.reload());
  });
  await measure('1,000 instances, 1 changed', async (i) => {
    await write(1000 + i, 'changed');
    return await timed(() => reloading.reload());
  });
  await end();
}
