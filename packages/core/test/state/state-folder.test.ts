import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareStateFolder } from '../../src/state/state-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test('it is made for its owner only, with a room for each purpose, and found again', async () => {
  await using folder = await temporaryFolder();
  const state = await prepareStateFolder(join(folder.path, 'deep', '.octo'));
  for (const path of Object.values(state)) expect(await modeOf(path)).toBe('700');
  expect(await prepareStateFolder(state.path)).toEqual(state);
});

test('one that others may write to is refused, with what to do', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, '.octo');
  await mkdir(path);
  await chmod(path, 0o770);
  const refused = {
    code: 'OCTO_STATE_UNSAFE',
    message: expect.stringContaining(`chmod go-w '${path}'`),
  };
  await expect(prepareStateFolder(path)).rejects.toMatchObject(refused);
  await chmod(path, 0o755);
  const { postgres } = await prepareStateFolder(path);
  await chmod(postgres, 0o707);
  await expect(prepareStateFolder(path)).rejects.toMatchObject({ code: 'OCTO_STATE_UNSAFE' });
});

test('a file in its place is named', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, '.octo');
  await writeFile(path, '');
  const refused = { code: 'OCTO_STATE_DENIED', message: expect.stringContaining(path) };
  await expect(prepareStateFolder(path)).rejects.toMatchObject(refused);
  await expect(prepareStateFolder(join(path, 'below'))).rejects.toMatchObject(refused);
});

test('a link to a folder of the same owner will do', async () => {
  await using folder = await temporaryFolder();
  const [place, link] = [join(folder.path, 'place'), join(folder.path, 'link')];
  await mkdir(place, { mode: 0o700 });
  await symlink(place, link);
  expect((await prepareStateFolder(link)).path).toBe(link);
});

test('a place where no folder can be is named, and nothing hangs', async () => {
  await using folder = await temporaryFolder();
  const dangling = join(folder.path, 'link');
  await symlink('not/there', dangling);
  // Nobody can make folders in /proc; where there is none, its own parent cannot be made either.
  for (const path of [dangling, join(dangling, 'inner'), '/proc/octo/state']) {
    await expect(prepareStateFolder(path)).rejects.toMatchObject({ code: 'OCTO_STATE_DENIED' });
  }
});
