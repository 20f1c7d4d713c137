import { once } from 'node:events';
import type { Transform } from 'node:stream';
import type { ByteReader } from '../byte-reader.ts';
import { decompressFailed } from './failed.ts';

/**
 * Output at a time, and how far the engine may be ahead of whoever reads. It works on a thread of its own, and after each piece
 * it waits until the main thread has time for it: so the pieces are large.
 */
export const ENGINE_CHUNK = { chunkSize: 1024 * 1024, readableHighWaterMark: 2 * 1024 * 1024 };
/** Input at a time, where there is so much. */
const INPUT_BYTES = 128 * 1024;

/** A decompressor of node:zlib, which counts the input that belonged to it. */
export type Engine = Transform & { readonly bytesWritten: number };

/**
 * What `engine` makes of the reader's bytes, up to the end of its format. The bytes after that end are given back to
 * the reader: what they are is for the caller to say.
 * @throws PluginError `integrity` for what the engine refuses, a missing end included
 */
export async function* throughEngine(
  engine: Engine,
  reader: ByteReader,
): AsyncGenerator<Uint8Array> {
  const input = new Input();
  const feeding = feed(engine, reader, input);
  try {
    for await (const chunk of engine) yield chunk as Uint8Array;
  } catch (error) {
    if (reader.sourceError !== undefined) throw reader.sourceError.error;
    throw decompressFailed('is damaged or cut off', error);
  } finally {
    engine.destroy();
    await feeding;
  }
  if (reader.sourceError !== undefined) throw reader.sourceError.error;
  reader.putBack(input.after(engine.bytesWritten));
}

/** What the engine was given, as far as it may not have used it. */
class Input {
  bytes = 0;
  #chunks: Uint8Array[] = [];

  add(chunk: Uint8Array): void {
    // The engine has at most the chunk before in hand; it was drained of what came earlier.
    this.#chunks = [...this.#chunks.slice(-1), chunk];
    this.bytes += chunk.length;
  }

  after(used: number): Uint8Array {
    const held = Buffer.concat(this.#chunks);
    return held.subarray(held.length - (this.bytes - used));
  }
}

/** Gets the next bytes while the engine works. Never rejects: what goes wrong destroys the engine, and shows there. */
async function feed(engine: Engine, reader: ByteReader, input: Input): Promise<void> {
  const closed = once(engine, 'close').catch(() => undefined);
  let next = piece(reader);
  try {
    // An engine that leaves bytes unused has reached the end of its format.
    while (!engine.destroyed && engine.bytesWritten === input.bytes) {
      const chunk = await next;
      if (chunk === undefined) return void engine.end();
      input.add(chunk);
      next = piece(reader);
      // Whoever waits for it is told.
      next.catch(() => {});
      await Promise.race([closed, written(engine, chunk)]);
    }
    reader.putBack((await next) ?? new Uint8Array());
  } catch (error) {
    engine.destroy(error as Error);
  }
}

async function piece(reader: ByteReader): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  for (let bytes = 0; bytes < INPUT_BYTES;) {
    const chunk = await reader.some();
    if (chunk === undefined) break;
    chunks.push(chunk);
    bytes += chunk.length;
  }
  return chunks.length > 1 ? Buffer.concat(chunks) : chunks[0];
}

/** Resolves when the engine has used the chunk; an error shows at the engine itself. */
function written(engine: Engine, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => engine.write(chunk, () => resolve()));
}
