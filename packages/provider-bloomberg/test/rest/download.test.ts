import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type BloombergRest, ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test, vi } from 'vitest';
import { Catalog } from '../../src/rest/catalog.ts';
import { download } from '../../src/rest/download.ts';
import type { ResponseEntry } from '../../src/rest/response-entry.ts';
import { bloomberg, type ClientOptions, clientOf, failureOf, never } from './loopback.ts';

const KEY = 'octoEod-20260115.csv';
/** Long enough for many chunks, and half of it hard to compress. */
const CONTENT = Buffer.concat(
  Array.from({ length: 40_000 }, (_, i) =>
    Buffer.from(`IBM US Equity,0,${i},${randomBytes(16).toString('hex')}\n`),
  ),
);
const SENT_BYTES = gzipSync(CONTENT).length;

test.each(['decoded', 'gzip', 'absent'] as const)(
  'content comes as it is, digest %s',
  async (digest) => {
    const server = await published({ digest });
    expect((await read(server)).equals(CONTENT)).toBe(true);
    expect(ranges(server)).toEqual([undefined]);
  },
);

test('a download that is cut at 60 % goes on from the byte of the gzip where it was', async () => {
  const server = await published();
  const cutAt = Math.floor(SENT_BYTES * 0.6);
  server.faults.cutAfterBytes(KEY, cutAt);
  expect((await read(server)).equals(CONTENT)).toBe(true);
  const [first, second, ...others] = ranges(server);
  expect([first, others]).toEqual([undefined, []]);
  // What had arrived and nobody had read is lost with the connection.
  const from = Number(/^bytes=(\d+)-$/.exec(second ?? '')?.[1]);
  expect(from).toBeGreaterThan(cutAt / 2);
  expect(from).toBeLessThanOrEqual(cutAt);
});

test('a download that is cut again and again goes on as long as something comes', async () => {
  const server = await published();
  server.faults.cutAfterBytes(KEY, Math.floor(SENT_BYTES / 20), 30);
  expect((await read(server)).equals(CONTENT)).toBe(true);
  expect(ranges(server).length).toBeGreaterThan(15);
});

test('a download of which nothing comes any more is given up', async () => {
  const server = await published();
  server.faults.cutAfterBytes(KEY, 0, 100);
  expect(await failureOf(read(server))).toMatchObject({ type: 'network' });
});

test('a server that ignores ranges sends everything again, and what is known is passed over', async () => {
  const server = await published();
  server.faults.ignoreRanges = true;
  server.faults.cutAfterBytes(KEY, Math.floor(SENT_BYTES * 0.6));
  expect((await read(server)).equals(CONTENT)).toBe(true);
  expect(ranges(server)).toHaveLength(2);
});

test('content that is not compressed is read as well, and again from its beginning after a cut', async () => {
  const server = await published();
  server.faults.withoutGzip = true;
  server.faults.cutAfterBytes(KEY, Math.floor(CONTENT.length * 0.6));
  expect((await read(server)).equals(CONTENT)).toBe(true);
});

test('a cut after the last byte is no reason to ask for more than whether there is more', async () => {
  const server = await published();
  server.faults.cutAfterBytes(KEY, SENT_BYTES - 1, 1);
  expect((await read(server)).equals(CONTENT)).toBe(true);
});

test('a digest that is wrong is told after the last byte', async () => {
  const server = await published();
  server.faults.wrongDigest(KEY);
  expect(await failureOf(read(server))).toMatchObject({
    type: 'integrity',
    code: 'DIGEST_MISMATCH',
  });
});

test('content that was replaced between two pieces is not put together', async () => {
  const server = await published();
  server.faults.cutAfterBytes(KEY, Math.floor(SENT_BYTES * 0.6));
  const other = Buffer.from(CONTENT).fill('x', CONTENT.length >> 1);
  const error = await failureOf(read(server, { onPiece: () => server.replace(KEY, other) }));
  expect(error.type).toBe('integrity');
});

test('a server that falls silent in the middle is left, and asked for the rest', async () => {
  const server = await published();
  const stalledAt = Math.floor(SENT_BYTES / 2);
  server.faults.stallAfterBytes(KEY, stalledAt);
  expect((await read(server, { idleMs: 50 })).equals(CONTENT)).toBe(true);
  expect(ranges(server)).toEqual([undefined, `bytes=${stalledAt}-`]);
});

test('archives are asked for as they are', async () => {
  const server = await bloomberg();
  server.publish({ key: 'ticks-20260115.parquet', body: CONTENT });
  expect((await read(server, { key: 'ticks-20260115.parquet' })).equals(CONTENT)).toBe(true);
});

test('whoever leaves a silent server in the middle waits for nothing, and keeps no connection', async () => {
  const clock = new ManualClock(Date.now());
  const server = await published();
  server.faults.stallAfterBytes(KEY, 20_000);
  for await (const chunk of await opened(server, { clock })) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  // An open body is watched by somebody who sleeps.
  await vi.waitUntil(() => clock.pending === 0, { timeout: 5000, interval: 2 });
});

async function published(more: { digest?: 'decoded' | 'gzip' | 'absent' } = {}) {
  const server = await bloomberg();
  server.publish({ key: KEY, body: CONTENT, ...more });
  return server;
}

interface ReadOptions extends ClientOptions {
  readonly key?: string;
  readonly onPiece?: () => void;
}

async function read(server: BloombergRest, options: ReadOptions = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await opened(server, options)) {
    if (pieces.push(piece) === 1) options.onPiece?.();
  }
  return Buffer.concat(pieces);
}

async function opened(server: BloombergRest, { key = KEY, ...options }: ReadOptions = {}) {
  const logger = new RecordingLogger();
  const client = clientOf(server, options);
  const catalog = new Catalog(server.account, client, logger);
  const listed: ResponseEntry[] = await Array.fromAsync(catalog.responses({ prefix: key }, never));
  const digest = listed[0]?.digest;
  return download({ client, path: catalog.pathOf(key), key, digest, logger }, 0, never);
}

/** The ranges that downloads asked for, in their order. */
function ranges(server: BloombergRest): (string | undefined)[] {
  return server.calls
    .filter(({ path }) => path.endsWith(`/${KEY}`))
    .map(({ headers }) => headers['range']);
}
