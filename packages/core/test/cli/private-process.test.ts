/** The program as the system sees it: whose its files are, and what others could read of it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { pluginModule } from '../workers/workshop.ts';

const octoHost = fileURLToPath(new URL('../../bin/octo-host.mjs', import.meta.url));
const NOBODY = 65_534;

/** Delivers one file, and then waits in the second run until it is stopped. */
const vendor = pluginModule(
  'provider',
  `
  const file = { path: 'a.csv', name: 'a.csv', size: 2, mtimeMs: 1000, complete: true };
  return { settleMs: 0, connect: async () => ({
    list: async function* () { yield file; },
    stat: async () => file,
    read: async function* () { yield Buffer.from('a\\n'); },
    async [Symbol.asyncDispose]() { console.log('octo-worker ' + process.pid); },
  }) };`,
);

/** A folder of somebody without rights, if we may become one; the test of a developer is its own user. */
async function siteOfNobody() {
  const folder = await mkdtemp(join(tmpdir(), 'octo-private-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(folder, 'plugins'));
  await writeFile(join(folder, 'plugins/vendor.mjs'), vendor);
  const manifest = {
    plugins: {
      vendor: { use: './plugins/vendor.mjs' },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: {
      daily: { from: 'vendor', to: 'out', key: '{name}', every: '1h', doubleRead: false },
    },
  };
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest));
  const user = mayBeNobody() ? { uid: NOBODY, gid: NOBODY } : {};
  if (user.uid !== undefined)
    for (const path of ['', 'plugins', 'plugins/vendor.mjs', 'plugins.json'])
      await chown(join(folder, path), NOBODY, NOBODY);
  return { folder, user };
}

function mayBeNobody(): boolean {
  if (process.getuid?.() !== 0) return false;
  const sight = spawnSync(process.execPath, ['--check', octoHost], { uid: NOBODY, gid: NOBODY });
  return sight.status === 0;
}

/** The program, below a shell that lets it make files for everybody and dump all it likes. */
function program(folder: string, argv: readonly string[], options: object = {}) {
  const script = 'umask 000; ulimit -c unlimited 2>/dev/null; exec "$0" "$@"';
  const child = spawn('sh', ['-c', script, process.execPath, octoHost, ...argv], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  return { child, ended: once(child, 'close'), said: () => said };
}

async function until({ child, said }: ReturnType<typeof program>, text: string): Promise<void> {
  while (!said().includes(text) && child.exitCode === null) await once(child.stderr!, 'data');
  expect(said()).toContain(text);
}

/** What others may do with something below the folder. */
async function openToOthers(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const seen = await Promise.all(
    names.map(async (name) => {
      const found = await lstat(join(folder, name)).catch(() => undefined);
      const isOpen = found !== undefined && !found.isSymbolicLink() && (found.mode & 0o077) !== 0;
      return isOpen ? [`${name} ${(found.mode & 0o777).toString(8)}`] : [];
    }),
  );
  expect(names.length).toBeGreaterThan(100);
  return seen.flat();
}

function childrenOf({ pid }: ChildProcess): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/).map(Number);
}

/** What a dump of a process would hold. Elsewhere than on Linux nobody tells. */
const NOTHING = '00000000';

async function dumpsOf(pids: readonly number[]): Promise<string[]> {
  if (process.platform !== 'linux') return pids.map(() => NOTHING);
  return await Promise.all(
    pids.map(async (pid) => (await readFile(`/proc/${pid}/coredump_filter`, 'utf8')).trim()),
  );
}

async function coreLimitOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return '0 0';
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  return /Max core file size +(\d+) +(\d+) /.exec(limits)?.slice(1).join(' ') ?? 'none';
}

test('a host of an ordinary user delivers, makes nothing that others reach, and dumps no memory', async () => {
  const { folder, user } = await siteOfNobody();
  const env = { PATH: process.env['PATH'], HOME: folder, OCTO_LOG: 'debug' };
  const host = program(folder, ['start', '--log', 'json'], { ...user, env });
  await until(host, 'octo-worker');
  await until(host, '"delivered":1');
  expect(await readFile(join(folder, 'out/a.csv'), 'utf8')).toBe('a\n');
  expect((await lstat(join(folder, 'out/a.csv'))).uid).toBe(user.uid ?? process.getuid?.());
  // The sink's own setting holds, whatever the host keeps to itself.
  expect((await lstat(join(folder, 'out/a.csv'))).mode & 0o777).toBe(0o640);
  expect((await lstat(join(folder, 'out'))).mode & 0o777).toBe(0o750);
  expect(await openToOthers(join(folder, '.octo'))).toEqual([]);
  const worker = Number(/octo-worker (\d+)/.exec(host.said())?.[1]);
  const pids = [host.child.pid ?? 0, worker, ...childrenOf(host.child)];
  expect(await dumpsOf(pids)).toEqual(pids.map(() => NOTHING));
  expect(await coreLimitOf(worker)).toBe('0 0');
  // A debugger would be told of on stderr, before anything that comes later.
  process.kill(worker, 'SIGUSR1');
  host.child.kill('SIGUSR1');
  host.child.kill('SIGHUP');
  await until(host, 'the manifest changes nothing');
  host.child.kill('SIGTERM');
  expect(await host.ended).toEqual([0, null]);
  expect(host.said()).not.toContain('Debugger listening');
});

test('a host with a debugger does not start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-private-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { PATH: process.env['PATH'], HOME: folder, NODE_OPTIONS: '--inspect=127.0.0.1:0' };
  const refused = program(folder, ['start'], { env });
  expect(await refused.ended).toEqual([2, null]);
  expect(refused.said()).toContain('OCTO_DEBUGGER_OPEN');
  const debugged = program(folder, ['version'], { env: { ...env, OCTO_ISOLATION: 'none' } });
  expect(await debugged.ended).toEqual([0, null]);
});
