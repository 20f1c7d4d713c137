import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
    await mkdir(path, { recursive: true, mode: 0o700 });
    await checkPrivate(path);
    for (const inner of [state.spool, state.postgres, state.plugins]) {
      await mkdir(inner, { recursive: true, mode: 0o700 });
      await checkPrivate(inner);
    }
  } catch (error) {
    throw stateError(error, path);
  }
  return state;
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
