import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { escapeText } from '../observe/escape-text.ts';
import { starPattern } from '../pipeline/star-pattern.ts';
import { UsageError } from './usage-error.ts';

/**
 * The files that `--checkpoints` names, with commas between them; `*` in the last part of a path matches anything, as the names
 * of logs that are turned over: `/var/log/octo.log*`. Absolute.
 * @throws UsageError for a pattern that matches nothing, so that no place is left out by a slip
 */
export async function checkpointFiles(list: string, cwd: string): Promise<string[]> {
  const found: string[] = [];
  for (const named of list.split(',')) {
    const path = resolve(cwd, named);
    found.push(...(basename(path).includes('*') ? await matching(path) : [path]));
  }
  return found;
}

async function matching(path: string): Promise<string[]> {
  const folder = dirname(path);
  const fits = starPattern(basename(path));
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const files = names.filter(fits).toSorted();
  if (files.length > 0) return files.map((name) => join(folder, name));
  throw new UsageError(
    `no file matches --checkpoints '${escapeText(path)}'`,
    'octo-host audit verify --help',
  );
}
