import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';
import { stateError } from './state-error.ts';

/** Where a host keeps what must outlive it. Absolute paths. */
export interface StateFolder {
  readonly path: string;
  /** For files that need random access while they are worked on. */
  readonly spool: string;
  readonly postgres: string;
  /** A folder for each plugin instance. */
  readonly plugins: string;
}

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Creates what is missing of a state folder, for its owner only, and refuses one that others could tamper with.
 * @throws OctoError OCTO_STATE_DENIED, OCTO_STATE_UNSAFE, OCTO_STATE_FULL
 */
export async function prepareStateFolder(folder: string): Promise<StateFolder> {
  const path = resolve(folder);
  const state = {
    path,
    spool: join(path, 'spool'),
    postgres: join(path, 'postgres'),
    plugins: join(path, 'plugins'),
  };
  try {
    await makeFolder(path);
    await checkPrivate(path);
    for (const inner of [state.spool, state.postgres, state.plugins]) {
      await makeFolder(inner);
      await checkPrivate(inner);
    }
  } catch (error) {
    throw stateError(error, path);
  }
  return state;
}

/** With its parents. Not by `recursive`, which spins for ever below /proc or an automounter. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 }).catch(unlessExists);
  }
}

function unlessExists(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}

async function checkPrivate(path: string): Promise<void> {
  const { uid, mode } = await stat(path);
  const self = process.geteuid?.();
  if (self !== undefined && uid !== self)
    throw new OctoError(
      'OCTO_STATE_UNSAFE',
      `the state folder ${path} belongs to user id ${uid}, and this is user id ${self}; run as its owner, or name another one with --state`,
    );
  if (process.platform !== 'win32' && (mode & WRITABLE_BY_OTHERS) !== 0)
    throw new OctoError(
      'OCTO_STATE_UNSAFE',
      `others may write to the state folder ${path}; take that from them with: chmod go-w '${path}'`,
    );
}
