import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { octoHost } from '../../conformance/support/octo-host.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { postgresServer, urlOf } from '../ledger/postgres-server.ts';

/** Plain data, as a package without a copy of the contract would have it. Every file takes a moment to read. */
const slowVendor = `
import { setTimeout } from 'node:timers/promises';
const configSchema = { type: 'object', additionalProperties: false, properties: { files: { type: 'integer' } } };
const file = (n) => ({ path: 'f' + n, name: 'f' + n, size: 5, mtimeMs: 1, complete: true });
const create = ({ config: { files } }) => ({ settleMs: 0, connect: async () => ({
  list: async function* () { for (let n = 100; n < 100 + files; n++) yield file(n); },
  stat: async ({ path }) => file(Number(path.slice(1))),
  read: async function* ({ name }) { await setTimeout(80); yield Buffer.from(name + '\\n'); },
  async [Symbol.asyncDispose]() {},
}) });
export default { $octo: '@octo/plugin', contract: 1, name: 'slow', kind: 'provider', configSchema, inject: {}, create };
`;
const FILES = 30;
const LOOK_MS = 50;
const MOST_LOOKS = 1200;
const packages = fileURLToPath(new URL('../../../', import.meta.url));

let server: EmbeddedPostgres & AsyncDisposable;
let admin: Client;
let url: string;

beforeAll(async () => {
  server = await postgresServer();
  url = await urlOf(server);
  admin = await connected();
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});

async function connected(): Promise<Client> {
  const client = new Client(server.config);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function answers(): Promise<boolean> {
  try {
    await (await connected()).end();
    return true;
  } catch {
    return false;
  }
}

async function postmaster(): Promise<number> {
  const folder = server.description.replace('the embedded PostgreSQL in ', '');
  const cluster = (await readdir(folder)).find((name) => name.startsWith('cluster'))!;
  const file = join(folder, cluster, 'data/postmaster.pid');
  return Number.parseInt(await readFile(file, 'utf8'), 10);
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    if (await isSo()) return;
    await setTimeout(LOOK_MS);
  }
  throw new Error(`in vain: ${what}`);
}

/** A folder with a vendor and a sink, where hosts with different manifests begin. */
async function site() {
  const folder = await mkdtemp(join(tmpdir(), 'octo-hosts-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await writeFile(join(folder, 'slow.mjs'), slowVendor);
  await mkdir(join(folder, 'out'));
  const out = (pipeline: string) => join(folder, 'out', pipeline);
  return {
    folder,
    host: async (name: string, ...pipelines: string[]) => await begin(folder, name, pipelines),
    request: async (pipeline: string, manifest: string) => {
      const argv = ['runs', 'request', pipeline, '-m', join(folder, manifest)];
      const more = ['--state', join(folder, 'asks')];
      const { ended } = octoHost([...argv, ...more], folder, { DATABASE_URL: url });
      expect(await ended).toMatchObject({ code: 0 });
    },
    delivered: async (pipeline: string) =>
      (await readdir(out(pipeline)).catch(() => [])).filter((one) => !one.startsWith('.')),
    content: async (pipeline: string, name: string) =>
      await readFile(join(out(pipeline), name), 'utf8'),
  };
}

async function begin(folder: string, name: string, pipelines: readonly string[]) {
  const pipeline = { from: 'slow', to: 'out', concurrency: 1, doubleRead: false, every: '1h' };
  const manifest = {
    plugins: {
      slow: { use: './slow.mjs', config: { files: FILES } },
      out: { use: join(packages, 'sink-fs'), config: { directory: join(folder, 'out') } },
    },
    pipelines: Object.fromEntries(
      pipelines.map((id) => [id, { ...pipeline, key: `${id}/{name}` }]),
    ),
  };
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(manifest));
  const argv = ['start', '--no-watch', '--log', 'json', '-m', file];
  const { process, ended } = octoHost([...argv, '--state', join(folder, name)], folder, {
    DATABASE_URL: url,
  });
  onTestFinished(async () => {
    process.kill('SIGCONT');
    process.kill('SIGKILL');
    await ended;
  });
  const send = (signal: NodeJS.Signals) => void process.kill(signal);
  return { send, ended, name: async () => await readFile(join(folder, name, 'host.name'), 'utf8') };
}

/** The newest run of a pipeline, and what the ledger says of its files. */
async function told(pipeline: string) {
  const { rows: runs } = await admin.query<{ state: string; attempt: number; deaths: number }>(
    'select state, attempt, deaths, host from octo.run where pipeline = $1 order by number desc',
    [pipeline],
  );
  const { rows: files } = await admin.query<{ commits: number; files: number; open: number }>(
    `select count(*)::int as commits, count(distinct d.id)::int as files,
       (select count(*)::int from octo.delivery where pipeline = $1 and open) as open
     from octo.delivery d join octo.event e on e.delivery_id = d.id and e.event = 'committed'
     where d.pipeline = $1`,
    [pipeline],
  );
  return { run: runs[0], runs: runs.length, ...files[0] };
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

test('of three hosts one is killed and one is paused: the third takes over, and each file comes once', async () => {
  const { host, delivered, content, request } = await site();
  const killed = await host('one', 'a');
  const paused = await host('two', 'b');
  await until('both deliver', async () =>
    (await Promise.all(['a', 'b'].map(delivered))).every((names) => names.length > 2),
  );
  const third = await host('three', 'a', 'b');
  killed.send('SIGKILL');
  paused.send('SIGSTOP');
  await until('both runs are done', async () =>
    (await Promise.all(['a', 'b'].map(told))).every(({ run }) => run?.state === 'SUCCEEDED'),
  );
  paused.send('SIGCONT');
  // What the paused one had in hands it gives back when it wakes up and sees that its run is another's.
  await until('the last file', async () => {
    const { open, run } = await told('b');
    if (open === 0) return true;
    if (run?.state === 'SUCCEEDED') await request('b', 'three.json');
    return false;
  });
  for (const one of [paused, third]) one.send('SIGTERM');
  const [woken, last] = await Promise.all([paused.ended, third.ended]);
  expect([woken.code, last.code]).toEqual([0, 0]);
  expect(woken.stderr).toContain('another host took the run over');
  expect(last.stderr).toContain('a run was left by a host that died, and is taken up');
  for (const pipeline of ['a', 'b']) {
    expect(await told(pipeline)).toMatchObject({ commits: FILES, files: FILES, open: 0 });
    const names = await delivered(pipeline);
    expect(names).toHaveLength(FILES);
    for (const name of names) expect(hash(await content(pipeline, name))).toBe(hash(`${name}\n`));
  }
  const { rows } = await admin.query(
    `select pipeline, attempt, deaths, host from octo.run where trigger = 'schedule' order by pipeline`,
  );
  const name = (await third.name()).trim();
  expect(rows).toEqual([
    { pipeline: 'a', attempt: 2, deaths: 1, host: name },
    { pipeline: 'b', attempt: 2, deaths: 1, host: name },
  ]);
}, 90_000);

test('PostgreSQL dies in the middle of a run and comes back: the run goes on, each file comes once', async () => {
  const { host, delivered } = await site();
  const one = await host('one', 'c');
  await until('it delivers', async () => (await delivered('c')).length > 2);
  process.kill(await postmaster(), 'SIGQUIT');
  await until('it is gone', async () => !(await answers()));
  // The host notices, and tries in vain for a while.
  await setTimeout(1000);
  await server.revive();
  admin = await connected();
  await until('the run is done', async () => (await told('c')).run?.state === 'SUCCEEDED');
  one.send('SIGTERM');
  expect(await one.ended).toMatchObject({ code: 0 });
  expect(await told('c')).toMatchObject({
    run: { attempt: 1, deaths: 0 },
    runs: 1,
    commits: FILES,
    files: FILES,
    open: 0,
  });
  expect(await delivered('c')).toHaveLength(FILES);
});
