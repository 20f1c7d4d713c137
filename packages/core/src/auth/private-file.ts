import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';
import { stateError } from '../state/state-error.ts';

const OF_OTHERS = 0o077;

/**
 * What a secret file of the state folder holds; made with `make` at first use, complete and on disk or not at all, for its
 * owner only. Two processes that come at the same time agree on one.
 * @throws OctoError `OCTO_STATE_UNSAFE` when others may read it, `OCTO_STATE_DENIED`, `OCTO_STATE_FULL`
 */
export async function privateFile(path: string, make: () => Buffer): Promise<Buffer> {
  try {
    const found = await readPrivate(path);
    if (found !== undefined) return found;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await publish(path, make());
    return (await readPrivate(path))!;
  } catch (error) {
    throw stateError(error, dirname(path));
  }
}

async function readPrivate(path: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & OF_OTHERS) !== 0)
      throw new OctoError(
        'OCTO_STATE_UNSAFE',
        `others may read ${path}, which holds a secret; take that from them with: chmod 600 '${path}'`,
      );
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A link fails where a file is there already: the first one wins, and is whole. */
async function publish(path: string, bytes: Buffer): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(bytes);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
