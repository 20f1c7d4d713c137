import { open, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { PluginError } from '@octo/plugin-api';

/**
 * `fsync` for a worker, of what it may write.
 * @throws the error of `node:fs`; PluginError `auth` for a path outside
 */
export async function syncWithin(path: string, write: readonly string[]): Promise<void> {
  const real = await realpath(path);
  if (!write.some((folder) => real === folder || real.startsWith(`${folder}${sep}`)))
    throw new PluginError('auth', 'a plugin asks to sync what it may not write', {
      code: 'OUTSIDE',
    });
  await using handle = await open(real, 'r');
  await handle.sync();
}
