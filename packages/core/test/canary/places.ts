import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Client } from 'pg';
import type { Canaries } from './canaries.ts';

/** Names and contents of all files of a folder, but of those that are left out (paths relative to it). */
export async function findInFolder(
  canaries: Canaries,
  folder: string,
  isLeftOut: (path: string) => boolean = () => false,
): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (isLeftOut(path)) continue;
    found.push(...canaries.find(path, `the name of ${path}`));
    if (entry.isFile())
      found.push(...canaries.find(await readFile(join(folder, path)), `the file ${path}`));
  }
  return found;
}

/** Every row of every table that is not the database's own. Bytes show as hex. */
export async function findInTables(canaries: Canaries, client: Client): Promise<readonly string[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
    found.push(...canaries.find(rows.map(({ row }) => row).join('\n'), `the table ${name}`));
  }
  return found;
}

/**
 * Command lines of a process and of all that it started, and the environments of the latter: its own is where its user
 * put the secrets. Empty where there is no /proc.
 */
export async function findInProcesses(canaries: Canaries, pid: number): Promise<Seen> {
  const seen: { found: string[]; workers: number } = { found: [], workers: 0 };
  for (const one of await withDescendants(pid)) {
    const read = (file: string) => readFile(`/proc/${one}/${file}`, 'latin1').catch(() => '');
    const line = (await read('cmdline')).replaceAll('\0', ' ');
    seen.found.push(...canaries.find(line, `the command line of process ${one}`));
    if (one === pid) continue;
    seen.workers += 1;
    seen.found.push(...canaries.find(await read('environ'), `the environment of: ${line}`));
  }
  return seen;
}

export interface Seen {
  readonly found: readonly string[];
  /** How many processes there were beside the one that was asked about. */
  readonly workers: number;
}

async function withDescendants(root: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc').catch(() => [])) {
    const stat = /^\d+$/.test(name)
      ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
      : '';
    const parent = /\) \S (\d+)/.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const family = [root];
  for (const one of family)
    for (const [child, parent] of parents) if (parent === one) family.push(child);
  return family;
}
