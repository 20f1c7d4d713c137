import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newIdentity, recipientOf } from './age-file.ts';
import { systemDisk } from './disk.ts';
import { keyFileText, type MasterKey } from './master-key.ts';
import { writeNewFile } from './rewrite-file.ts';
import type { KeyPlace } from './secret-place.ts';

/**
 * Makes the master key where there is none, on disk when it resolves.
 * @returns `undefined` when it made none: a key that is there is left alone
 */
export async function createMasterKey(
  place: KeyPlace,
  passphrase?: string,
): Promise<MasterKey | undefined> {
  if (place.kind === 'variable' || (await isThere(place.path))) return undefined;
  const identity = await newIdentity();
  const key = { identity, recipient: await recipientOf(identity) };
  const text = await keyFileText(key, passphrase);
  await writeNewFile(systemDisk, place.path, Buffer.from(text));
  await systemDisk.syncFolder(dirname(place.path));
  return { ...key, where: place.path };
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    },
  );
}
