import { access, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';
import { takeFileLock } from './file-lock.ts';
import { stateError } from './state-error.ts';
import { prepareStateFolder } from './state-folder.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/**
 * Makes this process the one host of a state folder, until the returned object is disposed or the process dies.
 * @throws OctoError OCTO_HOST_RUNNING naming the other host; OCTO_STATE_DENIED, OCTO_STATE_UNSAFE, OCTO_STATE_FULL
 */
export async function lockHost(stateFolder: string): Promise<AsyncDisposable> {
  const { path } = await prepareStateFolder(stateFolder);
  try {
    const lock = await takeFileLock(join(path, 'host.lock'));
    if (lock === undefined) throw alreadyRunning(path, await readHolder(path));
    await writeHolder(path);
    return lock;
  } catch (error) {
    throw stateError(error, path);
  }
}

/**
 * Whether a host runs on this state folder. Takes its lock for a moment, if nobody has it.
 * @throws OctoError OCTO_STATE_DENIED
 */
export async function hostRuns(stateFolder: string): Promise<boolean> {
  const file = join(stateFolder, 'host.lock');
  try {
    await access(file);
    const lock = await takeFileLock(file);
    await lock?.[Symbol.asyncDispose]();
    return lock === undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw stateError(error, stateFolder);
  }
}

function alreadyRunning(path: string, holder: Holder | undefined): OctoError {
  const who =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return new OctoError(
    'OCTO_HOST_RUNNING',
    `a host runs on the state folder ${path} already: ${who}; stop it first, or give this one another --state`,
  );
}

/** Only words for people: the lock itself decides. So an unreadable file is no error. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'host.json'), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function writeHolder(path: string): Promise<void> {
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
  };
  const draft = join(path, `host.json.${process.pid}`);
  await writeFile(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  await rename(draft, join(path, 'host.json'));
}
