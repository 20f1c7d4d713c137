// What the demo makes once and keeps in `.octo-demo`, where plugins.json refers to it.
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostKeyFrom, hostKeyFromSeed } from '@octo/plugin-testing';

/** Writes a file whole or not at all, readable by its owner only. */
export async function keep(folder, name, content, mtime) {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.part`;
  await writeFile(unfinished, content, { mode: 0o600 });
  if (mtime !== undefined) await utimes(unfinished, mtime, mtime);
  await rename(unfinished, path);
}

/** The file's text; made by `make` when there is none yet. */
export async function kept(folder, name, make) {
  const found = await textOf(folder, name);
  if (found !== undefined) return found;
  const made = await make();
  await keep(folder, name, made);
  return made;
}

/** An SSH key of this folder's own. */
export async function keptKey(folder, name) {
  return hostKeyFrom(await kept(folder, name, () => hostKeyFromSeed(randomUUID()).privateKey));
}

export async function textOf(folder, name) {
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
