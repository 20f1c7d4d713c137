import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The process id in PostgreSQL's lock file of the data folder, if there is one. */
export async function postmasterPid(data: string): Promise<number | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/**
 * Removes PostgreSQL's lock file when no process works on the data. PostgreSQL judges by the process id alone and refuses
 * to start for ever when, after a crash, another program got that id.
 */
export async function removeStalePid(data: string): Promise<void> {
  const pid = await postmasterPid(data);
  if (pid === undefined || !isAlive(pid) || (await isAtWork(pid, data))) return;
  await rm(join(data, 'postmaster.pid'), { force: true });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

/** A postmaster and its children stand in the data folder. */
async function isAtWork(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') return await commandNames(pid, data);
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(
    processes.map((name) => readlink(`/proc/${name}/cwd`).catch(() => '')),
  );
  return folders.includes(data);
}

async function commandNames(pid: number, data: string): Promise<boolean> {
  const list = promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]);
  const { stdout } = await list.catch(() => ({ stdout: '' }));
  return stdout.includes('postgres') && stdout.includes(data);
}
