import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPluginDefinition, type Provider, type RemoteFile } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import affirm from '@octo/provider-affirm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startVendor, vendorRuns } from '../vendor.mjs';

const WRONG = 'bluebird_2026-01-14_2026-01-14_details.csv.gz.pgp';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-demo-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('the vendor serves its settlement files to whoever has what lies in the folder', async () => {
  await using _vendor = await startVendor(folder);
  await using session = await (await client()).connect(never());
  const files = await Array.fromAsync(session.list(never()));
  expect(files).toHaveLength(11);
  expect(files.filter((file) => file.refused !== undefined)).toEqual([]);
  for (const file of files) expect(file.mtimeMs).toBeLessThan(Date.UTC(2026, 1, 1));
  await expect(stat(join(folder, 'client-key'))).resolves.toMatchObject({ mode: 0o100600 });
});

test('the file that was wrong is issued again once it was fetched', async () => {
  const { promise: reissued, resolve: onReissue } = Promise.withResolvers<string>();
  await using _vendor = await startVendor(folder, { reissueAfterMs: 0, onReissue });
  await using session = await (await client()).connect(never());
  const wrong = await named(WRONG, session.list(never()));
  await Array.fromAsync(session.read(wrong, { offset: 0 }, never()));
  expect(await reissued).toBe(WRONG);
  const again = await named(WRONG, session.list(never()));
  expect(again.mtimeMs).toBeGreaterThan(wrong.mtimeMs);
});

test('a second start publishes nothing new', async () => {
  const first = await startVendor(folder);
  const { outbound } = first;
  await first[Symbol.asyncDispose]();
  const before = await contents(outbound);
  await using _second = await startVendor(folder);
  expect(await contents(outbound)).toEqual(before);
});

test('one can tell whether the vendor runs', async () => {
  expect(await vendorRuns(folder)).toBe(false);
  const vendor = await startVendor(folder);
  expect(await vendorRuns(folder)).toBe(true);
  await vendor[Symbol.asyncDispose]();
  expect(await vendorRuns(folder)).toBe(false);
});

async function client(): Promise<Provider> {
  if (!isPluginDefinition(affirm)) throw new Error('not a plugin');
  const text = async (name: string) => await readFile(join(folder, name), 'utf8');
  const { properties = {} } = affirm.configSchema;
  const defaults = Object.entries(properties).flatMap(([name, schema]) =>
    'default' in schema ? [[name, schema.default] as const] : [],
  );
  const config = {
    ...Object.fromEntries(defaults),
    host: '127.0.0.1',
    port: Number(await text('port')),
    username: 'octo',
    privateKey: await text('client-key'),
    hostKeys: [await text('host-key')],
    remoteDir: 'outbound',
  };
  const logger = new RecordingLogger();
  const context = { id: 'affirm', config, logger, baseFolder: folder, clock: new ManualClock() };
  return affirm.create(context as never) as Provider;
}

async function named(name: string, files: AsyncIterable<RemoteFile>): Promise<RemoteFile> {
  const found = (await Array.fromAsync(files)).find((file) => file.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

async function contents(outbound: string): Promise<readonly unknown[]> {
  const names = (await readdir(outbound)).toSorted();
  return await Promise.all(
    names.map(async (name) => [
      name,
      (await stat(join(outbound, name))).mtimeMs,
      (await readFile(join(outbound, name))).toString('base64'),
    ]),
  );
}

function never(): AbortSignal {
  return new AbortController().signal;
}
