import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { stateError } from './state-error.ts';
import { prepareStateFolder } from './state-folder.ts';

/**
 * The name of the host of a state folder among those that share a database: made once, the same after every restart, and
 * another one for another folder. A copied folder must not serve a second host.
 * @throws OctoError OCTO_STATE_*
 */
export async function hostName(stateFolder: string): Promise<string> {
  const { path } = await prepareStateFolder(stateFolder);
  const file = join(path, 'host.name');
  try {
    return (await readName(file)) ?? (await makeName(file));
  } catch (error) {
    throw stateError(error, path);
  }
}

async function readName(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, and only one of two that come at the same time. */
async function makeName(file: string): Promise<string> {
  const name = `${hostname()}-${randomBytes(4).toString('hex')}`;
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${name}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
    return name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readName(file)) ?? name;
  } finally {
    await rm(draft, { force: true });
  }
}
