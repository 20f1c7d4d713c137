import { createInflate, createInflateRaw } from 'node:zlib';
import type { ByteReader } from '../byte-reader.ts';
import { bunzip2Stream } from '../decompress/bzip2.ts';
import { ENGINE_CHUNK, throughEngine } from '../decompress/engine.ts';
import { decryptFailed } from './failed.ts';

/** RFC 9580, 9.4. */
const ALGORITHMS: { readonly [id: number]: (body: ByteReader) => AsyncIterable<Uint8Array> } = {
  0: (body) => body.rest(),
  1: (body) => throughEngine(createInflateRaw(ENGINE_CHUNK), body),
  2: (body) => throughEngine(createInflate(ENGINE_CHUNK), body),
  3: bunzip2,
};

/**
 * What is compressed in the body of a packet 8, up to the end of the compressed data, which must be the packet's.
 * @throws PluginError `integrity`
 */
export async function* decompressed(body: ByteReader): AsyncGenerator<Uint8Array> {
  const [algorithm = -1] = await body.take(1);
  const open = ALGORITHMS[algorithm];
  if (open === undefined) throw decryptFailed(new Error(`unknown compression ${algorithm}`));
  try {
    for await (const chunk of open(body)) yield chunk;
  } catch (error) {
    throw body.sourceError === undefined ? decryptFailed(error) : body.sourceError.error;
  }
  if ((await body.some()) !== undefined) {
    throw decryptFailed(new Error('bytes after the compressed data'));
  }
}

async function* bunzip2(body: ByteReader): AsyncGenerator<Uint8Array> {
  const head = Buffer.from(await body.peek(4)).toString('latin1');
  if (!/^BZh[1-9]$/.test(head)) throw decryptFailed(new Error('no bzip2 stream'));
  yield* bunzip2Stream(body);
}
