import { chmod, mkdir, open, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What it says when a folder cannot be synced: not a file system for that, or not ours to look into. */
const NOT_OURS = ['EINVAL', 'ENOTSUP', 'EACCES', 'EPERM', 'EROFS'];

/**
 * Makes a folder with every ancestor that is missing, so that it is there after a power cut. A worker cannot: it may touch
 * nothing above the folder.
 * @returns the folders that were made, the outermost first
 */
export async function makeFolderDurably(folder: string): Promise<string[]> {
  const found = await stat(folder).catch(() => undefined);
  if (found !== undefined) return [];
  const above = dirname(folder);
  const made = above === folder ? [] : await makeFolderDurably(above);
  try {
    await mkdir(folder);
    // The host's own umask is for its secrets; what was delivered is for the group, as the sinks' default has it.
    await chmod(folder, 0o750);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  await syncFolder(above);
  return [...made, folder];
}

/** Makes folders for as long as the returned object lives; then those that were missing and are empty go again. */
export async function foldersForAWhile(folders: readonly string[]): Promise<AsyncDisposable> {
  const made: string[] = [];
  for (const folder of folders) made.push(...(await makeFolderDurably(folder).catch(() => [])));
  return {
    async [Symbol.asyncDispose]() {
      for (const folder of made.toReversed()) await rmdir(folder).catch(() => {});
    },
  };
}

async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!NOT_OURS.includes(codeOf(error))) throw error;
  }
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
}
