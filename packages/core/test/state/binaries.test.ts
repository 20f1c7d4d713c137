import { chmod, cp, lstat, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { packagedBinaries, runnableBinaries } from '../../src/state/embedded/binaries.ts';
import { runProgram } from '../../src/state/embedded/run-program.ts';
import { unprivileged } from '../../src/state/embedded/unprivileged.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A package as npm leaves it without install scripts, below a folder that nobody else may enter. */
async function brokenPackage(folder: string): Promise<string> {
  const native = join(folder, 'package', 'native');
  await mkdir(native, { recursive: true });
  const source = packagedBinaries();
  await cp(join(dirname(source), 'package.json'), join(folder, 'package', 'package.json'));
  await cp(source, native, {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (path) => !(await lstat(path)).isSymbolicLink() && !path.endsWith('.a'),
  });
  return native;
}

test('the binaries run where npm has put them', async () => {
  // In a place that everybody may enter; the checkout itself may lie in one that only its owner may.
  await using open = await temporaryFolder();
  await chmod(open.path, 0o755);
  const source = packagedBinaries();
  const native = join(open.path, 'package', 'native');
  await cp(dirname(source), dirname(native), { recursive: true, verbatimSymlinks: true });
  expect(await runnableBinaries(native, [])).toBe(native);
});

test('a package without its links, or out of reach, is copied once and then runs', async () => {
  await using hidden = await temporaryFolder();
  await using open = await temporaryFolder();
  await chmod(open.path, 0o755);
  const native = await brokenPackage(hidden.path);
  const staged = await runnableBinaries(native, ['/nonexistent', open.path]);
  expect(dirname(staged)).toBe(open.path);
  const version = await runProgram(join(staged, 'bin', 'initdb'), ['--version'], unprivileged());
  expect(version.exitCode).toBe(0);
  const before = await stat(staged);
  expect(await runnableBinaries(native, [open.path])).toBe(staged);
  expect((await stat(staged)).ino).toBe(before.ino);
  expect((await stat(staged)).mode & 0o022).toBe(0);
});

test('a copy that others could have changed, or lost files of, is not used', async () => {
  await using hidden = await temporaryFolder();
  await using open = await temporaryFolder();
  await chmod(open.path, 0o755);
  const native = await brokenPackage(hidden.path);
  const staged = await runnableBinaries(native, [open.path]);
  await rm(join(staged, 'bin', 'postgres'));
  expect(await runnableBinaries(native, [open.path])).toBe(staged);
  await chmod(staged, 0o777);
  await writeFile(join(staged, 'planted'), '');
  const other = await runnableBinaries(native, [open.path]);
  expect(other).not.toBe(staged);
  expect(dirname(other)).toBe(open.path);
});

test('binaries that do not run anywhere are an error with a way out', async () => {
  await using folder = await temporaryFolder();
  await expect(runnableBinaries(join(folder.path, 'none'), [])).rejects.toMatchObject({
    code: 'OCTO_DATABASE_MISSING',
    message: expect.stringContaining('set DATABASE_URL'),
  });
});
