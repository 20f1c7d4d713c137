import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { isAlive } from '../../src/state/embedded/postmaster.ts';
import { unprivileged } from '../../src/state/embedded/unprivileged.ts';
import { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { hostProcess } from './host-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const logger = new RecordingLogger();
let template: AsyncDisposable & { readonly path: string };

beforeAll(async () => {
  template = await temporaryFolder();
  await (await open(template.path))[Symbol.asyncDispose]();
});
afterAll(() => template[Symbol.asyncDispose]());

/** A state folder in which a ledger was open before. */
async function usedState(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await temporaryFolder();
  const postgres = join(folder.path, 'postgres');
  await mkdir(postgres, { mode: 0o700 });
  await promisify(execFile)('cp', ['-a', join(template.path, 'cluster'), postgres]);
  return folder;
}

/** A folder in which the server has run before: cheaper than its first start. */
async function usedFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await temporaryFolder();
  await promisify(execFile)('cp', ['-a', join(template.path, 'cluster'), folder.path]);
  return folder;
}

function open(folder: string): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.open({ folder, clock: systemClock, logger });
}

async function ask(server: EmbeddedPostgres, sql: string): Promise<unknown> {
  const client = new Client(server.config);
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: unknown }>(sql);
    return rows[0]?.answer;
  } finally {
    await client.end();
  }
}

async function postmasterOf(folder: string): Promise<number | undefined> {
  const file = join(folder, 'cluster', 'data', 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => '');
  return text === '' ? undefined : Number.parseInt(text, 10);
}

test('it keeps what was committed, safely, for its owner only', async () => {
  await using folder = await temporaryFolder();
  {
    await using server = await open(folder.path);
    await ask(server, 'create table kept as select 42 as answer');
    expect(await ask(server, `select current_setting('fsync') as answer`)).toBe('on');
    expect(await ask(server, `select current_setting('data_checksums') as answer`)).toBe('on');
    expect(await ask(server, `select current_setting('listen_addresses') as answer`)).toBe('');
    const wrong = new Client({ ...server.config, password: 'wrong' });
    await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
  }
  const cluster = join(folder.path, 'cluster');
  for (const [path, mode] of [
    [cluster, '700'],
    [join(cluster, 'data'), '700'],
    [join(cluster, 'password'), '600'],
    [join(folder.path, 'log'), '600'],
  ] as const)
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe(mode);
  await using server = await open(folder.path);
  expect(await ask(server, 'select answer from kept')).toBe(42);
});

test('the last one out stops it, nobody else', async () => {
  await using folder = await usedFolder();
  const first = await open(folder.path);
  const pid = (await postmasterOf(folder.path))!;
  const second = await open(folder.path);
  await first[Symbol.asyncDispose]();
  expect(isAlive(pid)).toBe(true);
  expect(await ask(second, 'select 1 as answer')).toBe(1);
  await second[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  expect(await postmasterOf(folder.path)).toBeUndefined();
});

test('somebody else at the server keeps it up', async () => {
  await using folder = await usedFolder();
  const server = await open(folder.path);
  const psql = new Client(server.config);
  await psql.connect();
  await server[Symbol.asyncDispose]();
  expect((await psql.query('select 1 as answer')).rows).toEqual([{ answer: 1 }]);
  await psql.end();
  await (await open(folder.path))[Symbol.asyncDispose]();
  expect(await postmasterOf(folder.path)).toBeUndefined();
});

test('processes that start at the same moment share one server', async () => {
  await using folder = await temporaryFolder();
  const starts = [1, 2, 3].map(() => hostProcess('embedded', folder.path));
  const processes = await Promise.all(starts);
  const servers = new Set(processes.map(({ said }) => said['postmaster']));
  expect([...servers]).toEqual([await postmasterOf(folder.path)]);
  await Promise.all(processes.map((it) => it.end()));
  expect(await postmasterOf(folder.path)).toBeUndefined();
});

test('it outlives a killed host, and the next one adopts it', async () => {
  await using folder = await usedFolder();
  const host = await hostProcess('embedded', folder.path);
  await host.kill();
  const server = await open(folder.path);
  expect(await postmasterOf(folder.path)).toBe(host.said['postmaster']);
  await server[Symbol.asyncDispose]();
  expect(await postmasterOf(folder.path)).toBeUndefined();
});

test('commands that come and go while it stops and starts all get through', async () => {
  await using folder = await usedFolder();
  const visits = Array.from({ length: 3 }, async () => {
    for (let i = 0; i < 4; i++) {
      await using server = await open(folder.path);
      expect(await ask(server, 'select 1 as answer')).toBe(1);
    }
  });
  await Promise.all(visits);
  expect(await postmasterOf(folder.path)).toBeUndefined();
});

test('a server that was killed is started again by who needs it', async () => {
  await using folder = await usedState();
  await using ledger = await openLedger({ stateFolder: folder.path, logger });
  const version = { path: 'a', name: 'a', size: 1, mtimeMs: 1, location: 'a', key: 'a' };
  const scope = { pipeline: 'p', sink: 's' };
  await ledger.discover(scope, [version]);
  process.kill((await postmasterOf(join(folder.path, 'postgres')))!, 'SIGKILL');
  expect(await ledger.countOpen(scope)).toBe(1);
});

test('a lock file whose process id another program got does not stop it', async () => {
  await using folder = await usedFolder();
  const stranger = spawn('sleep', ['60'], { ...unprivileged(), stdio: 'ignore' });
  try {
    const data = join(folder.path, 'cluster', 'data');
    const lines = [stranger.pid, data, '1', '5432', '.', '', '', 'ready', ''];
    await writeFile(join(data, 'postmaster.pid'), lines.join('\n'));
    await using server = await open(folder.path);
    expect(await ask(server, 'select 1 as answer')).toBe(1);
  } finally {
    stranger.kill();
  }
});

test('what a killed first start left is thrown away', async () => {
  await using folder = await temporaryFolder();
  const half = await mkdtemp(join(folder.path, 'new-'));
  await mkdir(join(half, 'data'));
  await writeFile(join(half, 'data', 'PG_VERSION'), '18');
  await using server = await open(folder.path);
  expect(await ask(server, 'select 1 as answer')).toBe(1);
  expect((await readdir(folder.path)).filter((name) => name.startsWith('new-'))).toEqual([]);
});

test('a path that is too long for a socket is no obstacle', async () => {
  await using folder = await usedFolder();
  const parent = join(folder.path, 'x'.repeat(60));
  const deep = join(parent, 'y'.repeat(60));
  await mkdir(deep, { recursive: true, mode: 0o700 });
  await rename(join(folder.path, 'cluster'), join(deep, 'cluster'));
  await using server = await open(deep);
  expect(await ask(server, 'select 1 as answer')).toBe(1);
});

test('a server that cannot start says why', async () => {
  await using folder = await usedFolder();
  await writeFile(join(folder.path, 'cluster', 'data', 'postgresql.conf'), 'nonsense = 1\n');
  await expect(open(folder.path)).rejects.toMatchObject({
    code: 'OCTO_DATABASE_FAILED',
    message: expect.stringContaining('configuration file'),
  });
});

test('a paused process keeps its deliveries, those of a killed one are claimable at once', async () => {
  await using folder = await usedState();
  const host = await hostProcess('claim', folder.path);
  await using ledger = await openLedger({ stateFolder: folder.path, logger });
  const scope = { pipeline: 'p', sink: 's' };
  const request = {
    ...scope,
    leaseMs: 1000,
    onReissue: 'version',
    keyAt: (key: string) => key,
  } as const;
  process.kill(host.pid, 'SIGSTOP');
  expect(await ledger.claim(request)).toBeUndefined();
  await host.kill();
  // The server sees the broken connection as soon as it looks.
  let claim = await ledger.claim(request);
  for (let i = 0; claim === undefined && i < 1000; i++) claim = await ledger.claim(request);
  expect(claim).toMatchObject({ path: 'a' });
});
