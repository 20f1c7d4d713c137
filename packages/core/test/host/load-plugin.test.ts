import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPlugin } from '../../src/host/load-plugin.ts';

const plugin = (fields = '') =>
  `{ $octo: '@octo/plugin', contract: 1, name: 'p', kind: 'sink', configSchema: {}, inject: {}, create() {}, ${fields} }`;

/** A folder as `npm install` leaves it, with every way to be a plugin and not to be one. */
const files: Readonly<Record<string, string>> = {
  'node_modules/import-only/package.json': `{ "type": "module", "exports": { "import": "./i.js", "require": "./no.cjs" } }`,
  'node_modules/import-only/i.js': `export default ${plugin()}`,
  'node_modules/@acme/nested/package.json': `{ "type": "module", "exports": { ".": { "types": "./i.d.ts", "node": [{ "import": "./i.js" }] }, "./sub": "./sub.js", "./off": null } }`,
  'node_modules/@acme/nested/i.js': `export default ${plugin("name: 'nested'")}`,
  'node_modules/@acme/nested/sub.js': `export default ${plugin("name: 'sub'")}`,
  'node_modules/with-main/package.json': `{ "main": "lib/main.cjs" }`,
  'node_modules/with-main/lib/main.cjs': `module.exports = ${plugin()}`,
  'node_modules/unbuilt/package.json': `{ "type": "module", "exports": "./dist/index.js" }`,
  'node_modules/escaping/package.json': `{ "exports": "./../import-only/i.js" }`,
  'node_modules/spoilt/package.json': `{ "exports": hunter2 }`,
  'folder/package.json': `{ "type": "module", "exports": "./i.js" }`,
  'folder/i.js': `export default ${plugin("name: 'folder'")}`,
  'bare/index.js': `export default ${plugin("name: 'bare'")}`,
  'typed/plugin.ts': `const name: string = 'typed'; export default ${plugin('name')}`,
  'thrown.mjs': `throw new TypeError('no licence\\u001b[2J')`,
  'thrown-text.mjs': `throw 'just text'`,
  'thrown-bomb.mjs': `throw new Proxy({}, { get() { throw new Error('bomb') } })`,
  'syntax.mjs': `export default {{`,
  'missing-dependency.mjs': `import 'not-there'; export default ${plugin()}`,
  'named.mjs': `export const acme = ${plugin()}`,
  'nothing.mjs': `export const VERSION = 1`,
  'inner.cjs': `module.exports = { default: ${plugin()} }`,
  'function.mjs': `export default () => (${plugin()})`,
  'promised.mjs': `export default Promise.resolve(${plugin()})`,
  'null.mjs': `export default null`,
  'contract.mjs': `export default ${plugin('contract: 2')}`,
  'kind.mjs': `export default ${plugin("kind: 'snk'")}`,
  'no-create.mjs': `export default ${plugin('create: undefined')}`,
  'no-schema.mjs': `export default ${plugin('configSchema: undefined')}`,
  'getter.mjs': `export default ${plugin("get name() { throw new Error('bomb') }")}`,
  'proxy.mjs': `export default new Proxy({}, { get() { throw new Error('bomb') } })`,
  'moody.mjs': `let n = 0; export default ${plugin("get kind() { return n++ === 0 ? 'sink' : 'provider' }")}`,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-load-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a plugin is found', () => {
  test.each([
    ['import-only', 'p'],
    ['@acme/nested', 'nested'],
    ['@acme/nested/sub', 'sub'],
    ['with-main', 'p'],
    ['./folder', 'folder'],
    ['./folder/i.js', 'folder'],
    ['./bare', 'bare'],
    ['./typed/plugin.ts', 'typed'],
  ])('as %s', async (use, name) => {
    expect(await loadPlugin(use, folder)).toMatchObject({ name, kind: 'sink' });
  });

  test('from a folder below the one where it is installed', async () => {
    expect(await loadPlugin('import-only', join(folder, 'folder'))).toMatchObject({ name: 'p' });
  });

  test('by its absolute path', async () => {
    expect(await loadPlugin(join(folder, 'folder'), '/')).toMatchObject({ name: 'folder' });
  });

  test('beside the host, when the manifest lies elsewhere', async () => {
    // Installed with the host, and no plugin: that it is found is all that matters here.
    await expect(loadPlugin('ajv', folder)).rejects.toMatchObject({
      code: 'OCTO_PLUGIN_NOT_A_PLUGIN',
    });
  });

  test('and its answers are taken once', async () => {
    const { kind, ...rest } = await loadPlugin('./moody.mjs', folder);
    expect([kind, rest.name]).toEqual(['sink', 'p']);
  });
});

describe('a plugin is refused', () => {
  test.each([
    ['not-installed', 'NOT_FOUND', 'is not installed: no node_modules/not-installed in'],
    ['./none', 'NOT_FOUND', 'does not exist:'],
    ['.hidden', 'NOT_FOUND', 'is not installed'],
    ['a b', 'NOT_FOUND', 'is neither a package name nor a path that begins with ./'],
    ['https://x/y.js', 'NOT_FOUND', 'is neither a package name'],
    ['@acme/nested/other', 'NOT_FOUND', `does not export './other'`],
    ['@acme/nested/off', 'NOT_FOUND', `does not export './off'`],
    ['unbuilt', 'NOT_FOUND', 'is it built?'],
    ['escaping', 'NOT_FOUND', 'has an entry outside of its own folder'],
    ['spoilt', 'NOT_FOUND', 'has a package.json that cannot be read'],
    ['./thrown.mjs', 'THREW', `failed while it was loaded: TypeError: no licence\\x1b[2J`],
    ['./thrown-text.mjs', 'THREW', 'failed while it was loaded: just text'],
    [
      './thrown-bomb.mjs',
      'THREW',
      'failed while it was loaded: an object that is no error was thrown',
    ],
    ['./syntax.mjs', 'THREW', 'failed while it was loaded: '],
    ['./missing-dependency.mjs', 'THREW', `Cannot find package 'not-there'`],
    [
      './named.mjs',
      'NO_DEFAULT',
      `exports its plugin as 'acme', not as default; write: export default`,
    ],
    ['./nothing.mjs', 'NO_DEFAULT', 'has no default export; write: export default'],
    ['./inner.cjs', 'NO_DEFAULT', 'is a CommonJS module with an inner default'],
    [
      './function.mjs',
      'NOT_A_PLUGIN',
      'exports a value of type function, not what definePlugin returns',
    ],
    [
      './promised.mjs',
      'NOT_A_PLUGIN',
      'exports a value of type object, not what definePlugin returns',
    ],
    ['./null.mjs', 'NOT_A_PLUGIN', 'exports null, not what definePlugin returns'],
    ['./contract.mjs', 'CONTRACT', 'was written for contract 2; this host speaks 1'],
    ['./kind.mjs', 'KIND', `is a plugin of kind 'snk'; did you mean 'sink'?`],
    ['./no-create.mjs', 'NOT_A_PLUGIN', `a plugin without a proper 'create'`],
    ['./no-schema.mjs', 'NOT_A_PLUGIN', `a plugin without a proper 'configSchema'`],
    ['./getter.mjs', 'NOT_A_PLUGIN', 'exports something that cannot be looked at'],
    ['./proxy.mjs', 'NOT_A_PLUGIN', 'exports something that cannot be looked at'],
  ])('that is %s', async (use, way, message) => {
    const error: unknown = await loadPlugin(use, folder).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: `OCTO_PLUGIN_${way}`,
      message: expect.stringContaining(`'${use}' `) as string,
    });
    expect((error as Error).message).toContain(message);
  });

  test('without a word of what its package.json says', async () => {
    await expect(loadPlugin('spoilt', folder)).rejects.not.toThrow('hunter2');
  });
});
