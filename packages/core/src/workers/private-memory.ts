import { readFile } from 'node:fs/promises';

const PAGE_BYTES = 4096;

/**
 * The memory that a process has for itself, in bytes: what it shares with others, such as code, does not count.
 * `undefined` where the system does not tell.
 */
export async function privateMemory(pid: number): Promise<number | undefined> {
  try {
    const [, resident, shared] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
    return (Number(resident) - Number(shared)) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}
