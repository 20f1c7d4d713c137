import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { providerSuite } from '../src/provider-suite.ts';
import { FolderProvider } from './folder-provider.ts';

providerSuite('the smallest provider', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-provider-'));
  return {
    provider: new FolderProvider(folder),
    async place({ name, bytes, mtimeMs }) {
      await writeFile(join(folder, name), bytes);
      await utimes(join(folder, name), mtimeMs / 1000, mtimeMs / 1000);
    },
    remove: (name) => rm(join(folder, name)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
});
