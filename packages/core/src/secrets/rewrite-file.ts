import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

export interface RewriteOptions {
  /** What is written before it takes the place. Whoever may be alone at it keeps the default, which a crash leaves once. */
  readonly draft?: string;
  /** Keeps what was there under this name. */
  readonly previous?: string;
}

/**
 * Puts a file in the place of another in one step: whatever happens and whenever, the old or the new one is there, whole.
 * When it resolves the new one outlasts a loss of power.
 */
export async function rewriteFile(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  { draft = `${path}.draft`, previous }: RewriteOptions = {},
): Promise<void> {
  await disk.remove(draft);
  await writeNewFile(disk, draft, bytes);
  if (previous !== undefined) {
    await disk.remove(previous);
    await disk.link(path, previous);
  }
  await disk.rename(draft, path);
  await disk.syncFolder(dirname(path));
}

/** Writes a file that is not there yet; its contents are on disk when it resolves, its name with the folder's next sync. */
export async function writeNewFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.create(path);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
