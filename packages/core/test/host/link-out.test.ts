import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { linkOut } from '../../src/host/link-out.ts';
import { pluginCode } from '../../src/host/load-plugin.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'octo-links-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'plugin/lib'), { recursive: true });
  await mkdir(join(folder, 'keys'));
  await writeFile(join(folder, 'plugin/lib/index.mjs'), 'export default 1;');
  await writeFile(join(folder, 'plugin/package.json'), '{ "exports": "./lib/index.mjs" }');
});

test.each([
  ['a file outside', '../../keys'],
  ['a folder above', '../..'],
  ['an absolute path', '/etc'],
  ['something that is not there yet', './later'],
  ['a folder whose name begins like its own', '../../plugin-keys'],
])('a link to %s is found, and the plugin refused with what to do', async (_, target) => {
  await mkdir(join(folder, 'plugin-keys'));
  await symlink(target, join(folder, 'plugin/lib/link'));
  expect(linkOut(join(folder, 'plugin'))).toBe(join(folder, 'plugin/lib/link'));
  expect(() => pluginCode('./plugin', folder)).toThrow(
    `'./plugin' holds the symbolic link lib/link, which leads out of the plugin's folder: its process could read whatever is there. Put a copy in its place`,
  );
});

test('links that stay inside, and those of installed packages, are left alone', async () => {
  await symlink('./index.mjs', join(folder, 'plugin/lib/main.mjs'));
  await symlink('../lib', join(folder, 'plugin/lib/self'));
  await mkdir(join(folder, 'plugin/node_modules'));
  await symlink('../../keys', join(folder, 'plugin/node_modules/linked'));
  expect(linkOut(join(folder, 'plugin'))).toBeUndefined();
  expect(pluginCode('./plugin', folder).entry).toContain('index.mjs');
});
