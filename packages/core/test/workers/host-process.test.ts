import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, watch, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { pluginModule } from './workshop.ts';

const octoHost = fileURLToPath(new URL('../../bin/octo-host.mjs', import.meta.url));

/** Says which process it is, in a file that is whole when it is there, and then does what the test wants. */
const telling = (then: string) =>
  `import fs from 'node:fs';\n${pluginModule(
    'provider',
    `return { settleMs: 0, connect: async () => {
      fs.writeFileSync(config.at + '/draft', String(process.pid));
      fs.renameSync(config.at + '/draft', config.at + '/pid');
      ${then}
    } };`,
    `{ at: { type: 'string', access: 'write' } }`,
  )}`;

async function running(then: string) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-host-process-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(folder, 'told'));
  await mkdir(join(folder, 'plugins'));
  await writeFile(join(folder, 'plugins/telling.mjs'), telling(then));
  const manifest = {
    plugins: {
      telling: { use: './plugins/telling.mjs', config: { at: join(folder, 'told') } },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: { daily: { from: 'telling', to: 'out', key: '{name}', every: '1h' } },
  };
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest));
  const told = appears(join(folder, 'told'), 'pid');
  const host = spawn(process.execPath, [octoHost, 'start', '--log', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void host.kill('SIGKILL'));
  const ended = once(host, 'exit');
  await told;
  const worker = Number(await readFile(join(folder, 'told/pid'), 'utf8'));
  expect(worker).toBeGreaterThan(1);
  return { folder, host, ended, worker };
}

async function appears(folder: string, name: string): Promise<void> {
  for await (const { filename } of watch(folder)) if (filename === name) return;
}

/** Resolves when the process runs no more, whether anybody has asked for its end or not; else the test runs out of time. */
async function gone(pid: number): Promise<true> {
  const state = await new Promise<string>((resolve) => {
    execFile('ps', ['-o', 'stat=', '-p', String(pid)], (_, stdout) => resolve(stdout.trim()));
  });
  return state === '' || state.startsWith('Z') ? true : await gone(pid);
}

test('workers die with a host that was killed', async () => {
  const { host, ended, worker } = await running(`await new Promise(() => {});`);
  expect(worker).not.toBe(host.pid);
  host.kill('SIGKILL');
  await ended;
  expect(await gone(worker)).toBe(true);
});

// Only the kernel can end what does not listen; elsewhere it goes on until it listens.
test.runIf(process.platform === 'linux')('so do those that block their event loop', async () => {
  const { host, ended, worker } = await running(`for (;;);`);
  host.kill('SIGKILL');
  await ended;
  expect(await gone(worker)).toBe(true);
});

test('SIGTERM closes the workers in good order', async () => {
  const { host, ended, worker } = await running(`throw new Error('nobody is there');`);
  host.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(await gone(worker)).toBe(true);
});
