import { crc32, createInflateRaw } from 'node:zlib';
import type { ByteReader } from '../byte-reader.ts';
import { ENGINE_CHUNK, throughEngine } from './engine.ts';
import { decompressFailed } from './failed.ts';

/** Flags of a gzip header (RFC 1952, 2.3.1). */
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
const MAX_TEXT = 64 * 1024;

/**
 * One gzip member, and no byte more. Header and trailer are read here, because node's gunzip goes on with whatever
 * follows a member, and leaves out in silence what it does not understand there.
 */
export async function* gunzipMember(reader: ByteReader): AsyncGenerator<Uint8Array> {
  await skipHeader(reader);
  let crc = 0;
  let bytes = 0;
  for await (const chunk of throughEngine(createInflateRaw(ENGINE_CHUNK), reader)) {
    crc = crc32(chunk, crc);
    bytes += chunk.length;
    yield chunk;
  }
  const trailer = Buffer.from(await exactly(reader, 8));
  if (trailer.readUInt32LE(0) !== crc) throw decompressFailed('has a wrong checksum');
  if (trailer.readUInt32LE(4) !== bytes % 2 ** 32) throw decompressFailed('has a wrong length');
}

async function skipHeader(reader: ByteReader): Promise<void> {
  const [, , method, flags = 0] = await exactly(reader, 10);
  if (method !== 8 || (flags & FLAG.reserved) !== 0) {
    throw decompressFailed('has an unknown gzip header');
  }
  if (flags & FLAG.extra) {
    await exactly(reader, Buffer.from(await exactly(reader, 2)).readUInt16LE(0));
  }
  if (flags & FLAG.name) await skipText(reader);
  if (flags & FLAG.comment) await skipText(reader);
  if (flags & FLAG.headerCrc) await exactly(reader, 2);
}

async function skipText(reader: ByteReader): Promise<void> {
  const end = (await reader.peek(MAX_TEXT)).indexOf(0);
  if (end < 0) throw decompressFailed('has an endless gzip header');
  await reader.take(end + 1);
}

async function exactly(reader: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw decompressFailed('is cut off');
  return bytes;
}
