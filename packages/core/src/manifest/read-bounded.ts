import type { FileHandle } from 'node:fs/promises';

/** The file has more bytes than were asked for. */
export class TooLarge extends Error {}

/**
 * All bytes of an open file, if they are at most `maxBytes`. What a pipe or /proc says about its size is not believed.
 * @throws TooLarge
 */
export async function readBounded(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of file.createReadStream({ autoClose: false, end: maxBytes })) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  if (bytes > maxBytes) throw new TooLarge(`more than ${maxBytes} bytes`);
  return Buffer.concat(chunks);
}
