import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../src/host/system-clock.ts';
import { EmbeddedPostgres } from '../src/state/embedded-postgres.ts';
import { octoHost } from './support/octo-host.ts';
import { shelfProvider } from './support/shelf-provider.ts';
import { urlOf } from '../test/ledger/postgres-server.ts';

const PIPELINES = 4;
const FILES = 500;
const KILLS = 5;
const HOSTS = ['one', 'two', 'three'];
const LOOK_MS = 100;
const MOST_LOOKS = 600;

const packages = fileURLToPath(new URL('../../', import.meta.url));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A vendor's folder for each pipeline, and the manifest that three hosts share. */
async function openShelves(folder: string): Promise<void> {
  const pipelines: Record<string, object> = {};
  const plugins: Record<string, object> = {
    out: { use: join(packages, 'sink-fs'), config: { directory: join(folder, 'out') } },
  };
  await writeFile(join(folder, 'shelf.mjs'), shelfProvider);
  await mkdir(join(folder, 'out'));
  for (let n = 0; n < PIPELINES; n++) {
    const shelf = join(folder, `shelf-${n}`);
    await mkdir(shelf);
    plugins[`shelf${n}`] = { use: './shelf.mjs', config: { folder: shelf } };
    const key = `p${n}/{name}`;
    pipelines[`p${n}`] = { from: `shelf${n}`, to: 'out', key, every: '1s', concurrency: 4 };
  }
  await writeFile(join(folder, 'plugins.json'), JSON.stringify({ plugins, pipelines }));
}

/** Every vendor publishes its part of a round, each file in one step. Answers hashes by key. */
async function publish(folder: string, round: number): Promise<ReadonlyMap<string, string>> {
  const published = new Map<string, string>();
  for (let i = round; i < FILES; i += KILLS) {
    for (let n = 0; n < PIPELINES; n++) {
      const bytes = randomBytes(200 + ((i * 7919) % 16_000));
      const shelf = join(folder, `shelf-${n}`);
      await writeFile(join(shelf, `.${i}`), bytes);
      await rename(join(shelf, `.${i}`), join(shelf, `${i}.bin`));
      published.set(`p${n}/${i}.bin`, sha256(bytes));
    }
  }
  return published;
}

/** What a reader of the folder sees: hashes by key. */
async function visible(folder: string): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  for (let n = 0; n < PIPELINES; n++) {
    const names = await readdir(join(folder, 'out', `p${n}`)).catch(() => []);
    for (const name of names.filter((one) => !one.startsWith('.')))
      seen.set(`p${n}/${name}`, sha256(await readFile(join(folder, 'out', `p${n}`, name))));
  }
  return seen;
}

async function countVisible(folder: string): Promise<number> {
  const names = await readdir(join(folder, 'out'), { recursive: true });
  return names.filter((name) => name.endsWith('.bin')).length;
}

async function database(folder: string) {
  const logger = new RecordingLogger();
  const server = await EmbeddedPostgres.open({ folder, clock: systemClock, logger });
  const url = await urlOf(server);
  const client = new Client(server.config);
  await client.connect();
  return {
    url,
    client,
    [Symbol.asyncDispose]: async () => {
      await client.end();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** One that has a run in hands; waits a while for it. */
async function ownerOfARun(folder: string, client: Client): Promise<string | undefined> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    const sql = `select host from octo.run where state = 'RUNNING' order by random() limit 1`;
    // Before the first host has come so far there is no such table.
    const { rows } = await client.query<{ host: string }>(sql).catch(() => ({ rows: [] }));
    for (const name of HOSTS) {
      const known = await readFile(join(folder, name, 'host.name'), 'utf8').catch(() => '');
      if (rows[0]?.host === known.trim()) return name;
    }
    await setTimeout(LOOK_MS);
  }
  return undefined;
}

/** Three hosts with a state folder each, which can be killed and come back. */
function fleet(folder: string, url: string) {
  const begin = (name: string) =>
    octoHost(['start', '--no-watch', '--log', 'json', '--state', join(folder, name)], folder, {
      DATABASE_URL: url,
    });
  const hosts = new Map(HOSTS.map((name) => [name, begin(name)]));
  let isOver = false;
  return {
    async kill(name: string): Promise<void> {
      const host = hosts.get(name)!;
      host.process.kill('SIGKILL');
      await host.ended;
      // A test that ran out of time must not leave a host behind.
      if (!isOver) hosts.set(name, begin(name));
    },
    async stop() {
      for (const { process } of hosts.values()) process.kill('SIGTERM');
      return await Promise.all([...hosts.values()].map(({ ended }) => ended));
    },
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      for (const { process } of hosts.values()) {
        if (process.exitCode !== null || process.signalCode !== null) continue;
        process.kill('SIGKILL');
        await once(process, 'close');
      }
    },
  };
}

test('three hosts, 2,000 files, kill -9 at random: each file once, byte for byte right', async () => {
  await using ground = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'octo-hosts-'));
  ground.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await openShelves(folder);
  const postgres = ground.use(await database(join(folder, 'postgres')));
  const hosts = ground.use(fleet(folder, postgres.url));
  onTestFinished(() => hosts[Symbol.asyncDispose]());
  const expected = new Map<string, string>();
  for (let kill = 0; kill < KILLS; kill++) {
    for (const [key, hash] of await publish(folder, kill)) expected.set(key, hash);
    await setTimeout(300 + Math.random() * 1500);
    const owner = kill % 2 === 0 ? await ownerOfARun(folder, postgres.client) : undefined;
    await hosts.kill(owner ?? HOSTS[Math.floor(Math.random() * HOSTS.length)]!);
    for (const [key, hash] of await visible(folder)) expect(expected.get(key)).toBe(hash);
  }
  for (let look = 0; look < MOST_LOOKS && (await countVisible(folder)) < expected.size; look++)
    await setTimeout(LOOK_MS);
  // Who had not finished its start ends as the signal says.
  for (const { code } of await hosts.stop()) expect([0, 143]).toContain(code);
  expect(await visible(folder)).toEqual(expected);
  const { rows } = await postgres.client.query(`
    select (select count(*)::int from octo.delivery) as deliveries,
      (select count(*)::int from octo.delivery where state = 'CLEANED') as cleaned,
      (select count(*)::int from octo.event where event = 'committed') as commits,
      (select count(distinct delivery_id)::int from octo.event where event = 'committed') as committed`);
  const all = expected.size;
  expect(rows).toEqual([{ deliveries: all, cleaned: all, commits: all, committed: all }]);
  // No run is left in anybody's hands, and those of killed hosts were taken over.
  const runs = await postgres.client.query(`
    select (count(*) filter (where state = 'RUNNING'))::int as running,
      count(*) filter (where deaths > 0) > 0 as were_taken_over from octo.run`);
  expect(runs.rows).toEqual([{ running: 0, were_taken_over: true }]);
});
