import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPluginDefinition, type Provider, type RemoteFile } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import bloomberg from '@octo/provider-bloomberg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBloomberg } from '../bloomberg.mjs';

const WRONG = 'octoEod-20260115T220444.csv';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-demo-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('the replies are there for whoever has what lies in the folder, and all but one are whole', async () => {
  await using _bloomberg = await startBloomberg(folder);
  const found = await inspected();
  expect(found).toEqual({
    'octoEod-20260114T220444.csv': 6,
    'octoEod-20260115T220444.csv': 6,
    'octoRef-20260114T220444.bbg': 3,
    'octoRef-20260115T220444.bbg': 'TRUNCATED',
  });
});

test('the prices that were wrong are issued again once they were fetched, and stay so', async () => {
  const { promise: corrected, resolve: onCorrection } = Promise.withResolvers<string>();
  const first = await startBloomberg(folder, { correctAfterMs: 0, onCorrection });
  const before = await version();
  await inspected();
  expect(await corrected).toBe(WRONG);
  const after = await version();
  expect(after?.mtimeMs).toBeGreaterThan(before?.mtimeMs ?? 0);
  await first[Symbol.asyncDispose]();
  await using _second = await startBloomberg(folder);
  expect(await version()).toEqual(after);
});

/** Rows of each reply, or why it is refused. */
async function inspected(): Promise<{ readonly [name: string]: unknown }> {
  const provider = await client();
  await using session = await provider.connect(never());
  const found: { [name: string]: unknown } = {};
  for await (const file of session.list(never())) {
    const inspection = session.inspect?.(file);
    for await (const chunk of session.read(file, { offset: 0 }, never())) inspection?.write(chunk);
    found[file.name] = rowsOf(() => inspection?.finish().facts['rows']);
  }
  await provider[Symbol.asyncDispose]?.();
  return found;
}

async function version(): Promise<RemoteFile | undefined> {
  const provider = await client();
  await using session = await provider.connect(never());
  const files = await Array.fromAsync(session.list(never()));
  await provider[Symbol.asyncDispose]?.();
  return files.find(({ name }) => name === WRONG);
}

function rowsOf(finish: () => unknown): unknown {
  try {
    return finish();
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
}

async function client(): Promise<Provider> {
  if (!isPluginDefinition(bloomberg)) throw new Error('not a plugin');
  const { properties = {} } = bloomberg.configSchema;
  const defaults = Object.entries(properties).flatMap(([name, schema]) =>
    'default' in schema ? [[name, schema.default] as const] : [],
  );
  const config = {
    ...Object.fromEntries(defaults),
    credential: await readFile(join(folder, 'bloomberg-credential.txt'), 'utf8'),
    endpoint: await readFile(join(folder, 'bloomberg-endpoint'), 'utf8'),
  };
  const logger = new RecordingLogger();
  const clock = new ManualClock(Date.now());
  const context = { id: 'bloomberg', config, logger, baseFolder: folder, clock };
  return bloomberg.create({ ...context, stateFolder: folder } as never) as Provider;
}

function never(): AbortSignal {
  return new AbortController().signal;
}
