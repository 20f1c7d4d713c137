import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isPluginError, type Logger, PluginError } from '@octo/plugin-api';
import type { ApiClient } from './api-client.ts';
import { isArchive } from './archive.ts';
import { DigestCheck } from './digest-check.ts';
import { resumedBody } from './resumed-body.ts';

export interface Download {
  readonly client: ApiClient;
  readonly path: string;
  /** For messages. */
  readonly key: string;
  /** As listed. */
  readonly digest: string | undefined;
  readonly logger: Logger;
}

/**
 * The content of a response, decoded, from `offset` on. It travels as gzip, whose ranges let a broken download go on; the
 * decoder needs all of it, so an offset is passed over and not asked for. Ends only after the digest was seen to be right.
 * @throws PluginError `integrity` with code `DIGEST_MISMATCH`, `BAD_GZIP`, `BODY_CHANGED`; `not_found`; `network`, …
 */
export async function* download(
  { client, path, key, digest, logger }: Download,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const check = new DigestCheck(digest);
  // Whoever leaves early must not wait for a server that may be silent.
  const left = new AbortController();
  const inner = AbortSignal.any([signal, left.signal]);
  const body: { encoding?: 'gzip' | 'identity' } = {};
  const begins = (told: 'gzip' | 'identity'): void => void (body.encoding = told);
  const wanted = isArchive(key) ? 'identity' : 'gzip';
  const sent = watched(
    resumedBody({ client, path, encoding: wanted, logger, begins }, inner),
    (chunk) => check.encoded(chunk),
  );
  // The first piece tells how the rest is encoded.
  const whole = joined(await sent.next(), sent);
  let passed = 0;
  const content = body.encoding === 'gzip' ? gunzipped(whole, key, () => left.abort()) : whole;
  for await (const chunk of content) {
    check.decoded(chunk);
    const rest = chunk.subarray(Math.min(Math.max(offset - passed, 0), chunk.length));
    passed += chunk.length;
    if (rest.length > 0) yield rest;
  }
  signal.throwIfAborted();
  const over = check.finish(key);
  logger.debug({ file: key, over }, 'digest checked');
}

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

async function* watched(chunks: Chunks, see: (chunk: Uint8Array) => void): Chunks {
  for await (const chunk of chunks) {
    see(chunk);
    yield chunk;
  }
}

async function* joined(first: IteratorResult<Uint8Array, void>, rest: Chunks): Chunks {
  try {
    if (first.done === true) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

async function* gunzipped(sent: Chunks, key: string, leave: () => void): Chunks {
  const source = Readable.from(sent, { objectMode: false, highWaterMark: CHUNK });
  const gunzip = createGunzip({ chunkSize: CHUNK });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let failure: unknown;
  pipeline(source, gunzip, (error) => {
    failure = error ?? undefined;
    resolve();
  });
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    await ended;
    throw isPluginError(failure) || !isZlibError(error) ? (failure ?? error) : badGzip(key, error);
  } finally {
    leave();
    gunzip.destroy();
    source.destroy();
    await ended;
  }
}

const CHUNK = 256 * 1024;

function isZlibError(error: unknown): boolean {
  return String((error as { readonly code?: unknown }).code).startsWith('Z_');
}

function badGzip(key: string, cause: unknown): PluginError {
  return new PluginError(
    'integrity',
    `'${key}' was sent as gzip that cannot be decoded (${(cause as Error).message}); ask for it again`,
    { code: 'BAD_GZIP', cause },
  );
}
