/** What was delivered, held against what lies at the sinks: rows forged by hand, objects changed by others. */
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type S3Simulator, startS3, VirtualTree } from '@octo/plugin-testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { DeliveredFiles } from '../../src/ledger/delivered-files.ts';
import { openDatabase } from '../../src/ledger/open-ledger.ts';
import type { Database } from '../../src/ledger/postgres/database.ts';
import { openSite, plugin, type Site, type SiteOptions, withLedger } from '../bad-input/site.ts';
import { S3Connection } from '../../../sink-s3/src/s3-connection.ts';
import type { S3SinkConfig } from '../../../sink-s3/src/config-schema.ts';

withLedger();

const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
let s3: S3Simulator;
beforeAll(async () => {
  s3 = await startS3({ buckets: ['lake'] });
});
afterAll(() => s3[Symbol.asyncDispose]());

interface Comparison {
  readonly ok: boolean;
  readonly compared: number;
  readonly agree: number;
  readonly differ: number;
  readonly differences: readonly { kind: string; path: string; reason: string; remedy: string }[];
  readonly notCompared: readonly { sink: string; files: number; reason: string }[];
  readonly silent: readonly { id: string; reason: string }[];
}

/** A site with these files, delivered. */
async function delivered(names: readonly string[], options: SiteOptions = {}): Promise<Site> {
  const tree = new VirtualTree();
  for (const name of names) tree.file(`/in/${name}.csv`, `of ${name}\n`);
  const site = await openSite({ tree, ...options });
  const { code, result } = await site.runJson();
  expect(code).toBe(0);
  expect(result.delivered).toHaveLength(names.length);
  return site;
}

function intoS3(prefix: string): SiteOptions {
  const { accessKeyId, secretAccessKey } = s3.credentials;
  const credentials = { accessKeyId: '${env:ID}', secretAccessKey: '${env:SECRET}' };
  const place = { bucket: 'lake', region: 'us-east-1', endpoint: s3.endpoint, prefix };
  return {
    env: { ID: accessKeyId, SECRET: secretAccessKey },
    sink: { use: plugin('sink-s3'), config: { ...place, credentials } },
  };
}

async function compare(site: Site, argv: readonly string[] = []) {
  const { code, stdout } = await site.octo([
    'files',
    'compare',
    '--sink',
    'lake',
    '--json',
    ...argv,
  ]);
  const comparison = JSON.parse(stdout) as Comparison;
  const found = comparison.differences.map(({ path, kind, reason }) => [path, kind, reason]);
  return { code, comparison, found: found.toSorted(([a = ''], [b = '']) => a.localeCompare(b)) };
}

async function tables({ env }: Site): Promise<Database> {
  const opened = await openDatabase({ stateFolder: env['OCTO_STATE']!, logger });
  onTestFinished(() => opened[Symbol.asyncDispose]());
  return opened.database;
}

/** Writes into the row of a file, as somebody with the database's password can. */
async function forge(database: Database, name: string, set: string): Promise<void> {
  const rows = await database.query(
    `update octo.delivery set ${set} where name = $1 and discovered = (
       select max(discovered) from octo.delivery where name = $1) returning id`,
    [Buffer.from(`${name}.csv`)],
  );
  expect(rows).toHaveLength(1);
}

const allRows = async (database: Database): Promise<unknown> =>
  await database.query('select * from octo.delivery order by id');

async function contents(site: Site): Promise<ReadonlyMap<string, string>> {
  const keys = await site.visible();
  return new Map(
    await Promise.all(
      keys.map(
        async (key) => [key, await readFile(join(site.folder, 'out', key), 'utf8')] as const,
      ),
    ),
  );
}

const objectsBelow = (prefix: string): readonly object[] =>
  s3.objects('lake').flatMap(({ key, etag, metadata, tags }) => {
    return key.startsWith(prefix) ? [{ key, etag, metadata, tags }] : [];
  });

/** Somebody else who may write to the bucket. */
async function asStranger(work: (exchange: Exchange) => Promise<unknown>): Promise<void> {
  const { endpoint, region, credentials } = s3;
  const timeouts = { connectMs: 5000, idleMs: 5000, requestMs: 5000, partMs: 1, completeMs: 1 };
  const config = { endpoint, region, credentials, timeouts, forcePathStyle: true };
  await using connection = new S3Connection(config as Partial<S3SinkConfig> as never, systemClock);
  const request = { request: 'HeadObject', bucket: 'lake', key: undefined } as const;
  await connection.ask(request, 5000, work, new AbortController().signal);
}
type Exchange = Parameters<Parameters<S3Connection['ask']>[2]>[0];

test('every row that was forged and every object that was changed in a folder is named, and nothing is touched', async () => {
  const names = 'whole hash size raw key away state unkeyed path gone edited replaced'.split(' ');
  const site = await delivered(names);
  const database = await tables(site);
  const hash = 'decode(repeat($$ab$$, 32), $$hex$$)';
  await forge(database, 'hash', `plain_sha256 = ${hash}`);
  await forge(database, 'size', 'plain_bytes = plain_bytes + 1');
  await forge(database, 'raw', `raw_sha256 = ${hash}`);
  await forge(database, 'key', `object_key = '../key.csv'`);
  await forge(database, 'away', `object_key = 'elsewhere.csv'`);
  await forge(database, 'state', `state = 'QUARANTINED', reason = 'forged'`);
  await forge(database, 'unkeyed', 'object_key = null');
  await forge(database, 'path', `path = '/in/other.csv'`);
  await rm(join(site.folder, 'out/gone.csv'));
  await writeFile(join(site.folder, 'out/edited.csv'), 'OF EDITED\n');
  await rm(join(site.folder, 'out/replaced.csv'));
  await writeFile(join(site.folder, 'out/replaced.csv'), 'of replaced\n');
  const [rows, files] = [await allRows(database), await contents(site)];

  const { code, comparison, found } = await compare(site);

  const unmarked =
    'what lies at its key names no delivery: it was changed, or somebody else put it there';
  expect(found).toEqual([
    ['/in/away.csv', 'missing', 'nothing lies at its key'],
    ['/in/edited.csv', 'stranger', unmarked],
    ['/in/gone.csv', 'missing', 'nothing lies at its key'],
    ['/in/hash.csv', 'content', 'its SHA-256 is another'],
    ['/in/key.csv', 'key', expect.stringContaining('../key.csv')],
    ['/in/other.csv', 'row', 'its id is not that of its pipeline, sink, path, size and time'],
    ['/in/raw.csv', 'row', 'it was delivered with another content than it holds'],
    ['/in/replaced.csv', 'stranger', unmarked],
    ['/in/size.csv', 'size', 'it has 8 bytes instead of 9'],
    ['/in/state.csv', 'row', 'it is QUARANTINED and has a key'],
    ['/in/unkeyed.csv', 'row', 'it was delivered and has no key'],
  ]);
  expect(comparison).toMatchObject({ ok: false, compared: 12, agree: 1, differ: 11 });
  expect(comparison.differences.every(({ remedy }) => remedy !== '')).toBe(true);
  expect(code).toBe(1);
  expect(await allRows(database)).toEqual(rows);
  expect(await contents(site)).toEqual(files);
});

test('the same at S3, where the store proves a checksum and the object carries its hashes', async () => {
  const prefix = randomUUID();
  const names = 'whole crc plain etag gone longer other theirs'.split(' ');
  const site = await delivered(names, intoS3(prefix));
  const database = await tables(site);
  const keyOf = (name: string) => `${prefix}/${name}.csv`;
  await forge(database, 'crc', `plain_crc64 = decode('0102030405060708', 'hex')`);
  await forge(database, 'plain', `plain_sha256 = decode(repeat('ab', 32), 'hex')`);
  await forge(database, 'etag', `etag = '"0123"'`);
  await asStranger(async ({ sdk, client }) => {
    const put = async (name: string, text: string, from = name) => {
      const Metadata = { ...s3.object('lake', keyOf(from))!.metadata };
      const object = { Bucket: 'lake', Key: keyOf(name), Body: text, Metadata };
      await client.send(new sdk.PutObjectCommand({ ...object, ChecksumAlgorithm: 'CRC64NVME' }));
    };
    await client.send(new sdk.DeleteObjectCommand({ Bucket: 'lake', Key: keyOf('gone') }));
    await put('longer', 'of longer, and more\n');
    await put('other', 'OF OTHER\n');
    await put('theirs', 'of theirs\n', 'whole');
  });
  const [rows, objects] = [await allRows(database), objectsBelow(prefix)];

  const { code, comparison, found } = await compare(site);

  expect(found).toEqual([
    ['/in/crc.csv', 'content', 'its CRC-64 is another'],
    ['/in/etag.csv', 'version', 'its etag is another'],
    ['/in/gone.csv', 'missing', 'nothing lies at its key'],
    ['/in/longer.csv', 'size', 'it has 20 bytes instead of 10'],
    ['/in/other.csv', 'content', 'its CRC-64 is another'],
    ['/in/plain.csv', 'content', 'its octo-plain-sha256 is another'],
    [
      '/in/theirs.csv',
      'stranger',
      expect.stringMatching(/^what lies at its key is the object of delivery [0-9a-f]{64}$/),
    ],
  ]);
  expect({ code, agree: comparison.agree }).toEqual({ code: 1, agree: 1 });
  expect(await allRows(database)).toEqual(rows);
  expect(objectsBelow(prefix)).toEqual(objects);
});

test.each([
  ['a folder', () => ({})],
  ['S3', () => intoS3(randomUUID())],
])('a row that somebody deleted leads to nothing twice in %s', async (_, options) => {
  const site = await delivered(['kept', 'forgotten'], options());
  const database = await tables(site);
  await database.query(`delete from octo.delivery where name = 'forgotten.csv'`);
  const visible = async () => [await site.visible(), s3.objects('lake').map(({ key }) => key)];
  const before = await visible();
  expect((await compare(site)).comparison).toMatchObject({ ok: true, compared: 1 });
  expect((await site.run()).code).toBe(0);
  expect(await visible()).toEqual(before);
  expect((await compare(site)).comparison).toMatchObject({ ok: true, compared: 2, agree: 2 });
});

test('people are told which, why and what to do, and how many in the last line', async () => {
  const site = await delivered(['whole', 'gone']);
  await rm(join(site.folder, 'out/gone.csv'));
  const { code, stdout, stderr } = await site.octo(['files', 'compare', '--sink', 'lake']);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, 2).map((line) => line.split(/ {2,}/))).toEqual([
    ['differs', 'file', 'pipeline', 'key', 'reason'],
    ['missing', '/in/gone.csv', 'daily', 'gone.csv', 'nothing lies at its key'],
  ]);
  expect(lines[3]).toMatch(/^missing → .*POST \/v1\/files\/ID\/redeliver/);
  expect(lines.at(-1)).toBe('2 files compared: 1 differs (1 missing)');
  expect(stderr).toContain('sinks list none');
  expect(code).toBe(1);
  const [whole] = (await site.octo(['files', 'compare', '--sink', 'lake', 'whole.csv'])).lines;
  expect(whole).toBe('1 file compared: no difference');
});

test('it is narrowed to a pattern, a pipeline, a time and a number', async () => {
  const site = await delivered(['a', 'b', 'c']);
  const compared = async (...argv: string[]) => (await compare(site, argv)).comparison.compared;
  expect(await compared()).toBe(3);
  expect(await compared('*b.csv')).toBe(1);
  expect(await compared('--pipeline', 'daily')).toBe(3);
  expect(await compared('--pipeline', 'nightly')).toBe(0);
  expect(await compared('--since', '2000-01-01')).toBe(3);
  expect(await compared('--since', '2999-01-01')).toBe(0);
  expect(await compared('--limit', '2')).toBe(2);
});

test.each([
  [['--sink', 'lale'], "no pipeline delivers to 'lale'; did you mean 'lake'?"],
  [['--sink', 'vendor'], "no pipeline delivers to 'vendor'; there is 'lake'"],
  [['--limit', '0'], '--limit must be a whole number from 1'],
  [['--since', 'monday'], '--since wants a day or a time'],
])('files compare %j is refused', async (argv, message) => {
  const site = await openSite();
  const { code, stderr } = await site.octo(['files', 'compare', ...argv]);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

test('a place that no sink leads to any more is told, and is no alarm', async () => {
  const before = await delivered(['moved']);
  const after = await openSite();
  const { code, stdout } = await after.octo(['files', 'compare', 'moved.csv', '--json']);
  const { notCompared } = JSON.parse(stdout) as Comparison;
  expect(notCompared).toContainEqual({
    sink: expect.stringContaining(before.folder) as unknown,
    pipeline: 'daily',
    files: 1,
    reason: 'no sink that was asked leads there',
  });
  expect(code).toBe(0);
});

test('a sink that does not answer is said once, its files are not called missing, and the exit code is 3', async () => {
  const site = await delivered(['a', 'b'], intoS3(randomUUID()));
  s3.denied.add('s3:GetObject');
  onTestFinished(() => s3.denied.clear());
  const { code, comparison } = await compare(site);
  expect(comparison).toMatchObject({
    ok: false,
    compared: 0,
    differ: 0,
    notCompared: [{ files: 2, reason: 'lake cannot be asked' }],
    silent: [{ id: 'lake', reason: expect.stringContaining('grant s3:GetObject') as unknown }],
  });
  expect(code).toBe(3);
});

test('a sink in a worker is asked there, and the audit log tells who looked and what was found', async () => {
  const site = await delivered(['whole', 'gone'], {
    sink: { use: '@octo/sink-fs', config: { directory: './out' } },
  });
  await rm(join(site.folder, 'out/gone.csv'));
  const argv = ['files', 'compare', '--sink', 'lake', '--json'];
  const { code, stdout } = await site.octo(argv, { env: { ...site.env, OCTO_ISOLATION: '' } });
  expect({ code, ...(JSON.parse(stdout) as Comparison) }).toMatchObject({
    code: 1,
    agree: 1,
    differences: [{ path: '/in/gone.csv', kind: 'missing' }],
  });
  const shown = await site.octo(['audit', 'show', '--action', 'file.compare', '--json']);
  const { records } = JSON.parse(shown.stdout) as { records: readonly object[] };
  expect(records.at(-1)).toMatchObject({
    actor: { kind: 'operator' },
    target: '*',
    details: { agree: 1, missing: 1, notCompared: 0 },
  });
});

test('pages lose no row, although somebody gave all the same number', async () => {
  const database = await tables(await openSite());
  await database.query(
    `insert into octo.delivery (id, pipeline, sink, path, size, mtime, name, location, wanted_key,
       discovered, state, attempt, object_key)
     select 'forged-' || n, 'forged', 'memory://forged', n::text::bytea, 1, 1, 'a', 'a', 'a', 7,
       'COMMITTED', 1, n::text from generate_series(1, 1100) n`,
  );
  const files = new DeliveredFiles(database);
  const sizes: number[] = [];
  const ids = new Set<string>();
  for await (const page of files.pages({ sink: 'memory://forged' })) {
    sizes.push(page.length);
    for (const { id } of page) ids.add(id);
  }
  expect({ sizes, ids: ids.size }).toEqual({ sizes: [500, 500, 100], ids: 1100 });
});
