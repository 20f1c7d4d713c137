import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { systemClock } from '../src/host/system-clock.ts';
import { EmbeddedPostgres } from '../src/state/embedded-postgres.ts';
import { octoHost } from './support/octo-host.ts';
import { shelfProvider } from './support/shelf-provider.ts';

const PIPELINES = 4;
const FILES = 500;
const KILLS = 8;
const HOSTS = ['one', 'two', 'three'];
const LOOK_MS = 250;
const MOST_LOOKS = 360;

const packages = fileURLToPath(new URL('../../', import.meta.url));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A folder of files for each pipeline, and the manifest that three hosts share. Answers hashes by key. */
async function fillShelves(folder: string): Promise<ReadonlyMap<string, string>> {
  const expected = new Map<string, string>();
  const pipelines: Record<string, object> = {};
  const plugins: Record<string, object> = {
    out: { use: join(packages, 'sink-fs'), config: { directory: join(folder, 'out') } },
  };
  await writeFile(join(folder, 'shelf.mjs'), shelfProvider);
  await mkdir(join(folder, 'out'));
  for (let n = 0; n < PIPELINES; n++) {
    const shelf = join(folder, `shelf-${n}`);
    await mkdir(shelf);
    for (let i = 0; i < FILES; i++) {
      const bytes = randomBytes(200 + ((i * 7919) % 16_000));
      await writeFile(join(shelf, `${i}.bin`), bytes);
      expected.set(`p${n}/${i}.bin`, sha256(bytes));
    }
    plugins[`shelf${n}`] = { use: './shelf.mjs', config: { folder: shelf } };
    const key = `p${n}/{name}`;
    pipelines[`p${n}`] = { from: `shelf${n}`, to: 'out', key, every: '1s', concurrency: 4 };
  }
  await writeFile(join(folder, 'plugins.json'), JSON.stringify({ plugins, pipelines }));
  return expected;
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
  const { user, password, host, port } = server.config;
  const url = `postgres://${user}:${encodeURIComponent(String(password))}@localhost:${port}/postgres?host=${encodeURIComponent(host!)}&sslmode=disable`;
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

/** Three hosts with a state folder each, which can be killed and come back. */
function fleet(folder: string, url: string) {
  const begin = (name: string) =>
    octoHost(['start', '--no-watch', '--log', 'json', '--state', join(folder, name)], folder, {
      DATABASE_URL: url,
    });
  const hosts = new Map(HOSTS.map((name) => [name, begin(name)]));
  return {
    async kill(name: string): Promise<void> {
      const host = hosts.get(name)!;
      host.process.kill('SIGKILL');
      await host.ended;
      hosts.set(name, begin(name));
    },
    async stop() {
      for (const { process } of hosts.values()) process.kill('SIGTERM');
      return await Promise.all([...hosts.values()].map(({ ended }) => ended));
    },
    [Symbol.asyncDispose]: async () => {
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
  const expected = await fillShelves(folder);
  const postgres = ground.use(await database(join(folder, 'postgres')));
  const hosts = ground.use(fleet(folder, postgres.url));
  for (let kill = 0; kill < KILLS; kill++) {
    await setTimeout(500 + Math.random() * 2500);
    await hosts.kill(HOSTS[Math.floor(Math.random() * HOSTS.length)]!);
    for (const [key, hash] of await visible(folder)) expect(expected.get(key)).toBe(hash);
  }
  for (let look = 0; look < MOST_LOOKS && (await countVisible(folder)) < expected.size; look++)
    await setTimeout(LOOK_MS);
  const ended = await hosts.stop();
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await visible(folder)).toEqual(expected);
  const { rows } = await postgres.client.query(`
    select (select count(*)::int from octo.delivery) as deliveries,
      (select count(*)::int from octo.delivery where state = 'CLEANED') as cleaned,
      (select count(*)::int from octo.event where event = 'committed') as commits,
      (select count(distinct delivery_id)::int from octo.event where event = 'committed') as committed`);
  const all = expected.size;
  expect(rows).toEqual([{ deliveries: all, cleaned: all, commits: all, committed: all }]);
});
