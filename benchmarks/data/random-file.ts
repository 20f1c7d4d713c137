/** Bytes that look random and are the same every time: zeros under a stream cipher with a fixed key. */
import { createCipheriv } from 'node:crypto';
import { open, utimes } from 'node:fs/promises';

const BLOCK = Buffer.alloc(1024 ** 2);

/** Old enough to be complete for everybody. */
const PUBLISHED = new Date('2026-01-15T12:00:00Z');

export async function writeRandomFile(path: string, bytes: number, seed = 0): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'octo'), counter(seed));
  {
    await using file = await open(path, 'w');
    for (let left = bytes; left > 0; left -= BLOCK.length)
      await file.write(cipher.update(BLOCK.subarray(0, left)));
  }
  await utimes(path, PUBLISHED, PUBLISHED);
}

function counter(seed: number): Buffer {
  const start = Buffer.alloc(16);
  start.writeUInt32BE(seed);
  return start;
}
