import { createHash, type Hash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { EntryNotFound, locatePlugin } from './package-entry.ts';

/**
 * Which code a plugin's name means right now: a word that is the same as long as the files of its package are. What the
 * package depends on does not count: a new process takes it as it is.
 * @returns an empty text when there is no such plugin
 */
export async function codeOf(use: string, folder: string): Promise<string> {
  try {
    const { entry, home } = locatePlugin(use, folder);
    const hash = createHash('sha256').update(entry);
    const files = home === undefined ? [entry] : await filesBelow(home);
    const budget = { bytes: MOST_BYTES };
    for (const file of files) await mark(file, relative(home ?? entry, file), hash, budget);
    return hash.digest('base64url').slice(0, 22);
  } catch (error) {
    if (error instanceof EntryNotFound || isSystemError(error)) return '';
    throw error;
  }
}

/** Past these a plugin carries data with it; of the rest, sizes and times are believed. */
const MOST_FILES = 2000;
const MOST_BYTES = 8 * 1024 * 1024;

/** In a fixed order, without what is installed below it. */
async function filesBelow(home: string): Promise<string[]> {
  const entries = await readdir(home, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'node_modules' || entry.name === '.git') continue;
    const path = join(home, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(path)));
    else found.push(path);
    if (found.length > MOST_FILES) break;
  }
  return found;
}

async function mark(
  file: string,
  name: string,
  hash: Hash,
  budget: { bytes: number },
): Promise<void> {
  const stat = await lstat(file);
  hash.update(`\n${JSON.stringify(name)} ${stat.size} `);
  budget.bytes -= stat.size;
  if (stat.isSymbolicLink()) hash.update(await readlink(file));
  else if (stat.isFile() && budget.bytes >= 0) hash.update(await readFile(file));
  else hash.update(String(stat.ctimeMs));
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
