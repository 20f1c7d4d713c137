import { rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Not sources, or somebody's own. `node_modules` of the root is made of links. */
const LEFT_OUT = new Set(['.git', '.octo', 'coverage', 'delivered']);

export interface TreeCopy extends AsyncDisposable {
  readonly folder: string;
}

/**
 * The repository as it stands, built, in a folder below that for temporary files. Packages of the repository are found in the
 * copy, all others where they are installed: nothing is written outside of the copy.
 */
export async function copyTree(root: string): Promise<TreeCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-controls-'));
  // Also when somebody has had enough.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  for (const name of await readdir(root))
    if (name !== 'node_modules' && !LEFT_OUT.has(name)) await copy(join(root, name), folder);
  await linkModules(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Times are kept, so that what is built counts as built; links of a workspace are relative, and lead into the copy. */
async function copy(from: string, into: string): Promise<void> {
  const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
  await cp(from, join(into, basename(from)), {
    ...options,
    filter: (path) => !LEFT_OUT.has(basename(path)),
  });
}

async function linkModules(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of await readdir(from)) {
    if (name === '@octo') await copy(join(from, name), to);
    else if (!name.startsWith('.vite')) await symlink(join(from, name), join(to, name));
  }
}
