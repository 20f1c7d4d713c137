import { open } from 'node:fs/promises';

/** Makes durable what lies at a path of this machine: `fsync` of the file or folder. */
export async function syncToDisk(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
