import { open } from 'node:fs/promises';

/** The service `SYNC_TO_DISK` as a host offers it: `fsync` of the file or folder at the path. */
export async function syncToDisk(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
