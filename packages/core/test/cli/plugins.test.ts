import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pluginModule } from '../workers/workshop.ts';
import { goodManifest, site } from './site.ts';
import { octoHost } from './test-environment.ts';

test('the instances are listed with what they are and which pipelines use them', async () => {
  const { environment } = await site(
    goodManifest.replace(
      '"use": "memory"',
      '"use": "@octo/sink-fs", "config": { "directory": "./d" }',
    ),
  );
  const { code, stdout } = await octoHost(['plugins'], environment);
  expect(code).toBe(0);
  expect(stdout.lines).toEqual([
    'id    kind      state    plugin         version  used by',
    'acme  provider  enabled  vendor         –        trades',
    expect.stringMatching(/^lake {2}sink {6}enabled {2}@octo\/sink-fs {2}\d+\.\d+\.\d+ {4}trades$/),
  ]);
});

const OWN_SINK = `return { place: 'own:', commits: 'conditional', completeGraceMs: 0, smallBytes: 0,
  stage() {}, head() {}, abort() {} };`;

test('a plugin that is a single file has no version', async () => {
  const { folder, environment } = await site(
    goodManifest.replace('"use": "memory"', '"use": "./own.mjs"'),
  );
  await writeFile(join(folder, 'own.mjs'), pluginModule('sink', OWN_SINK));
  const { code, stdout, stderr } = await octoHost(['plugins'], environment);
  expect(stderr.text).toBe('');
  expect(code).toBe(0);
  expect(stdout.lines[2]).toMatch(/^lake {2}sink {6}enabled {2}\.\/own\.mjs {2}–/);
});

test("a plugin's configuration is explained as a table", async () => {
  const { environment } = await site(goodManifest);
  const { code, stdout } = await octoHost(['plugins', 'show', 'acme'], environment);
  expect(code).toBe(0);
  expect(stdout.text).toBe(`\
vendor, a provider (vendor)
A vendor for tests

name                type                         default   description
host                string                       required  where it is
port                integer                      22
password            string (secret)
afterCommit         "leave" | "delete" | object  "leave"
afterCommit.moveTo  string

Example:
{
  "host": "sftp.test"
}
`);
});

test('a plugin can be explained before it stands in the manifest', async () => {
  const { environment } = await site('not a manifest');
  const argv = ['plugins', 'show', '@octo/sink-fs', '--json'];
  const { code, stdout } = await octoHost(argv, environment);
  expect(code).toBe(0);
  expect(JSON.parse(stdout.text)).toMatchObject({ name: 'fs', kind: 'sink' });
});

test('a plugin that is not installed is refused with what to do', async () => {
  const { environment } = await site(goodManifest);
  const { code, stderr } = await octoHost(['plugins', 'show', '@acme/nowhere'], environment);
  expect(code).toBe(2);
  expect(stderr.lines).toHaveLength(1);
  expect(stderr.text).toContain('(OCTO_PLUGIN_NOT_FOUND)');
});
