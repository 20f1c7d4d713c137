/** Manifests, references and plugins that are refused before anything is connected. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockedKey } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { canary } from './canaries.ts';
import { octoHost, plugin, temporaryFolder } from './site.ts';

type Fields = { readonly [name: string]: unknown };

const env = { PASSWORD: canary.password, KEY: canary.openPgpKey, LOCKED: lockedKey.privateKey };

/** A right manifest, with changes laid over its parts; two spaces a level, so that lines and columns can be counted. */
function manifest(
  changes: {
    readonly top?: Fields;
    readonly vendor?: Fields;
    readonly config?: Fields;
    readonly pipeline?: Fields;
  } = {},
): string {
  const config = {
    host: 'sftp.test',
    username: 'octo',
    password: '${env:PASSWORD}',
    hostKeys: [`SHA256:${'A'.repeat(43)}`],
    ...changes.config,
  };
  return JSON.stringify(
    {
      plugins: {
        vendor: { use: plugin('provider-affirm'), config, ...changes.vendor },
        lake: { use: plugin('sink-fs'), config: { directory: './out' } },
      },
      pipelines: { daily: { from: 'vendor', to: 'lake', key: '{name}', ...changes.pipeline } },
      ...changes.top,
    },
    null,
    2,
  );
}

/** What `run`, `run --json` and `lint` say about a manifest: they must agree. Nothing may be made beside it. */
async function refusal(
  text: string | Uint8Array,
  files: { readonly [name: string]: string } = {},
): Promise<readonly string[]> {
  const cwd = await temporaryFolder();
  for (const [name, content] of Object.entries({ ...files, 'plugins.json': text })) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), content);
  }
  const shown = (said: string) => said.replaceAll(`${cwd}/`, '').replaceAll(cwd, 'FOLDER');
  const told = await octoHost(['run', 'daily'], { cwd, env });
  const programs = await octoHost(['run', 'daily', '--json'], { cwd, env });
  const { error } = JSON.parse(programs.stdout) as { readonly error: string };
  const lines = told.stderr.trimEnd().split('\n');
  expect({ code: told.code, stdout: told.stdout, json: programs.code }).toEqual({
    code: 2,
    stdout: '',
    json: 2,
  });
  expect(lines).toEqual(error.split(/(?<=\(OCTO_\w+\)); /).map((line) => `octo-host: ${line}`));
  expect((await octoHost(['lint'], { cwd, env })).code).toBe(2);
  return lines.map((line) => shown(line).replace('octo-host: ', ''));
}

const syntax = (what: string, place: string) =>
  `the manifest cannot be read: ${what} (plugins.json:${place}) (OCTO_MANIFEST_SYNTAX)`;
const noJson = 'something is not JSON here; a text without quotes?';
const empty = 'the file is empty; is it still being written?';
const noText = 'the manifest FOLDER/plugins.json is not UTF-8 text (OCTO_MANIFEST_UNREADABLE)';

test.each<[string, string | Uint8Array, string]>([
  ['a name without quotes', manifest().replace('"key"', 'key'), syntax(noJson, '25:7')],
  ['a missing comma', manifest().replace(',\n', '\n'), syntax('a comma is expected', '5:7')],
  ['a cut end', manifest().slice(0, 40), syntax('a text is not closed', '4:7')],
  [
    'a secret without quotes',
    `{ "plugins": { "v": { "use": "x", "config": { "password": ${canary.password} } } } }`,
    syntax(noJson, '1:59'),
  ],
  [
    'a secret whose quotes are not closed',
    `{ "plugins": { "v": { "use": "x", "config": { "password": "${canary.password}\n } } } }`,
    syntax('a text is not closed', '1:59'),
  ],
  ['nothing', '', syntax(empty, '1:1')],
  ['nothing but empty lines', ' \r\n\r\n', syntax(empty, '3:1')],
  ['YAML', 'plugins:\n  vendor: x\n', syntax(noJson, '1:1')],
  ['a NUL behind it', `${manifest()}\0`, syntax(noJson, '28:2')],
  [
    'deep nesting',
    '{"a":'.repeat(5000),
    'the manifest is nested more than 64 levels deep (plugins.json:1:321) (OCTO_MANIFEST_SYNTAX)',
  ],
  [
    'more than a mebibyte',
    `{${' '.repeat(2 ** 20)}}`,
    'the manifest plugins.json is larger than 1 MiB; is it the right file? (OCTO_MANIFEST_UNREADABLE)',
  ],
  ['UTF-16', Buffer.from(`\ufeff${manifest()}`, 'utf16le'), noText.replace('FOLDER/', '')],
  [
    'Latin-1',
    Buffer.from(manifest({ pipeline: { every: 'é' } }), 'latin1'),
    noText.replace('FOLDER/', ''),
  ],
  ['a list', '[]', 'the manifest must be an object {…} (plugins.json:1:1) (OCTO_MANIFEST_INVALID)'],
  [
    'a name that stands there twice',
    '{ "plugins": { "a": { "use": "x" }, "a": { "use": "y" } } }',
    "plugin 'a' is there twice; the first is at plugins.json:1:16 (plugins.json:1:37) (OCTO_MANIFEST_DUPLICATE_KEY)",
  ],
  [
    'a byte order mark and Windows line ends, which are fine, and a slip, which is not',
    `\ufeff${manifest({ pipeline: { onReisue: 1 } }).replaceAll('\n', '\r\n')}`,
    "pipeline 'daily': onReisue is not known; did you mean 'onReissue'? (plugins.json:26:7) (OCTO_MANIFEST_INVALID)",
  ],
  [
    'a name with escape sequences',
    manifest({ top: { 'a\u001b[31m\u202eb': 1 } }),
    String.raw`'a\x1b[31m\u202eb' is not known; known here: $schema, allowRemovals, egress, host, plugins, pipelines (plugins.json:28:3) (OCTO_MANIFEST_INVALID)`,
  ],
])('a manifest with %s', async (_, text, line) => {
  expect(await refusal(text)).toEqual([line]);
});

test('everything that is wrong with keys and types is said at once, each at its place', async () => {
  const text = manifest({
    vendor: { enbled: true },
    pipeline: { key: 7, concurrency: 'four', steps: 'decrypt', limits: { maxFile: 3 } },
  });
  expect(await refusal(text)).toEqual([
    "plugin 'vendor': enbled is not known; did you mean 'enabled'? (plugins.json:13:7) (OCTO_MANIFEST_INVALID)",
    "pipeline 'daily': key must be a text in quotes (plugins.json:26:14) (OCTO_MANIFEST_INVALID)",
    "pipeline 'daily': concurrency must be a whole number (plugins.json:27:22) (OCTO_MANIFEST_INVALID)",
    "pipeline 'daily': steps must be a list […] (plugins.json:28:16) (OCTO_MANIFEST_INVALID)",
    "pipeline 'daily': limits/maxFile is not known; did you mean 'maxFiles'? (plugins.json:30:9) (OCTO_MANIFEST_INVALID)",
  ]);
});

test("a plugin's own settings are checked as closely, and a misplaced secret is not shown", async () => {
  const config = { hostt: 'x', port: canary.password, hostKeys: ['MD5:aa:bb'] };
  expect(await refusal(manifest({ config }))).toEqual([
    "plugin 'vendor': config/hostKeys/0 has not the right form: it must match ^SHA256:[A-Za-z0-9+/]{43}=?$ (plugins.json:10:11) (OCTO_CONFIG_INVALID)",
    "plugin 'vendor': config/hostt is not known; did you mean 'host'? (plugins.json:12:9) (OCTO_CONFIG_INVALID)",
    "plugin 'vendor': config/port must be a whole number (plugins.json:13:17) (OCTO_CONFIG_INVALID)",
  ]);
});

test.each<[string, Parameters<typeof manifest>[0], string]>([
  [
    'a variable that is not set',
    { config: { password: '${env:PASWORD}' } },
    "plugin 'vendor': config/password refers to ${env:PASWORD}, which is not set; did you mean 'PASSWORD'? (plugins.json:8:21) (OCTO_REFERENCE_MISSING)",
  ],
  [
    'a file that is not there',
    { config: { privateKey: '${file:keys/none}' } },
    "plugin 'vendor': config/privateKey refers to ${file:keys/none}, which does not exist (plugins.json:12:23) (OCTO_REFERENCE_MISSING)",
  ],
  [
    'a reference of unknown kind',
    { config: { password: '${evn:PASSWORD}' } },
    "plugin 'vendor': config/password has a reference of unknown kind 'evn'; did you mean 'env'? (plugins.json:8:21) (OCTO_REFERENCE_INVALID)",
  ],
  [
    'an open reference',
    { config: { password: '${env:PASSWORD' } },
    "plugin 'vendor': config/password has a reference ${…} that is not closed; write $${ for a plain ${ (plugins.json:8:21) (OCTO_REFERENCE_INVALID)",
  ],
  [
    'settings that exclude each other',
    { config: { directory: './drop' } },
    "plugin 'vendor': config: 'directory' (a local folder) and 'host' (a server) exclude each other; remove one (plugins.json:3:15) (OCTO_PLUGIN_CREATE)",
  ],
  [
    'a pattern that is no regular expression',
    { config: { pattern: '(' } },
    "plugin 'vendor': config/pattern is not a regular expression: Invalid regular expression: /(/u: Unterminated group (plugins.json:3:15) (OCTO_PLUGIN_CREATE)",
  ],
  [
    'a sink that is not among the plugins',
    { pipeline: { to: 'lak' } },
    "pipeline 'daily': to names 'lak', which is not among the plugins; did you mean 'lake'? (plugins.json:24:13) (OCTO_INSTANCE_UNKNOWN)",
  ],
  [
    'a step that does not exist',
    { pipeline: { steps: ['decompres'] } },
    "pipeline 'daily': steps/0 names 'decompres', which is no step; did you mean 'decompress'? (plugins.json:27:9) (OCTO_STEP_UNKNOWN)",
  ],
  [
    'a step without its key',
    { pipeline: { steps: ['decrypt'] } },
    "pipeline 'daily': steps/0/decrypt/keys is missing (plugins.json:27:9) (OCTO_STEP_OPTIONS)",
  ],
  [
    'a key that is none',
    { pipeline: { steps: [{ decrypt: { keys: ['${env:PASSWORD}'] } }] } },
    "pipeline 'daily': steps/0/decrypt: keys[0] is not an OpenPGP private key, armored or as base64 of the binary form (plugins.json:28:22) (OCTO_STEP_OPTIONS)",
  ],
  [
    'a passphrase that does not open the key',
    {
      pipeline: {
        steps: [{ decrypt: { keys: ['${env:LOCKED}'], passphrases: ['${env:PASSWORD}'] } }],
      },
    },
    `pipeline 'daily': steps/0/decrypt: no passphrase opens the key ${lockedKey.fingerprint}; add its passphrase to "passphrases" (plugins.json:28:22) (OCTO_STEP_OPTIONS)`,
  ],
  [
    'a key template that leads upwards',
    { pipeline: { key: '../{name}' } },
    "pipeline 'daily': key has an empty, '.' or '..' segment (plugins.json:25:14) (OCTO_KEY_TEMPLATE)",
  ],
  [
    'a plugin that is not installed',
    { vendor: { use: '@octo/provider-afirm' } },
    `plugin 'vendor': '@octo/provider-afirm' is not installed: no node_modules/@octo/provider-afirm in FOLDER or above; install it there, or correct "use" (plugins.json:3:15) (OCTO_PLUGIN_NOT_FOUND)`,
  ],
  [
    'a plugin at a path that leads nowhere',
    { vendor: { use: './plugins/mine' } },
    "plugin 'vendor': './plugins/mine' does not exist: plugins/mine (plugins.json:3:15) (OCTO_PLUGIN_NOT_FOUND)",
  ],
])('%s', async (_, changes, line) => {
  expect(await refusal(manifest(changes))).toEqual([line]);
});

const definition = (fields: string) =>
  `export default { $octo: '@octo/plugin', contract: 1, name: 'mine', kind: 'provider', configSchema: { type: 'object',
    additionalProperties: false, properties: { password: { type: 'string', secret: true } } }, inject: {}, create() {}, ${fields} };`;

test.each([
  [
    'throws while it loads, with a secret of the environment',
    `throw new Error('no licence for ' + ${JSON.stringify(canary.password)});`,
    'failed while it was loaded: no licence for [secret] (plugins.json:3:14) (OCTO_PLUGIN_THREW)',
  ],
  [
    'lacks a dependency',
    `import 'left-pad';`,
    "failed while it was loaded: Cannot find package 'left-pad' imported from mine.mjs (plugins.json:3:14) (OCTO_PLUGIN_THREW)",
  ],
  [
    'was written for another contract',
    definition('contract: 2'),
    'was written for contract 2; this host speaks 1; install versions that fit each other (plugins.json:3:14) (OCTO_PLUGIN_CONTRACT)',
  ],
  [
    'is none',
    'export default 7;',
    'exports a value of type number, not what definePlugin returns; write: export default definePlugin({ … }) (plugins.json:3:14) (OCTO_PLUGIN_NOT_A_PLUGIN)',
  ],
])('a plugin that %s', async (_, code, line) => {
  const vendor = { use: './mine.mjs', config: { password: '${env:PASSWORD}' } };
  const [said, ...more] = await refusal(manifest({ vendor }), { 'mine.mjs': code });
  expect(said?.replace(/plugins\.json:3:\d+/, 'plugins.json:3:14')).toBe(
    `plugin 'vendor': './mine.mjs' ${line}`,
  );
  expect(more).toEqual([]);
});

test('a plugin that quotes its secrets when it is created is not quoted', async () => {
  const create = `create({ config }) { const bytes = Buffer.from(config.password);
    throw new Error('bad ' + [config.password, bytes.toString('hex'), bytes.toString('base64'), encodeURIComponent(config.password)]); }`;
  const vendor = { use: './mine.mjs', config: { password: '${env:PASSWORD}' } };
  expect(await refusal(manifest({ vendor }), { 'mine.mjs': definition(create) })).toEqual([
    expect.stringMatching(
      /^plugin 'vendor': bad \[secret\],\[secret\],\[secret\]=*,\[secret\] \(plugins.json:3:\d+\) \(OCTO_PLUGIN_CREATE\)$/,
    ),
  ]);
});

test('a manifest that is not there, or is a folder, is named', async () => {
  const cwd = await temporaryFolder();
  const told = async (...argv: string[]) => {
    const { code, stderr } = await octoHost(argv, { cwd, env });
    expect(code).toBe(2);
    return stderr.replaceAll(`${cwd}/`, '');
  };
  expect(await told('run', 'daily')).toBe(
    'octo-host: the manifest plugins.json does not exist; --manifest FILE names another one (OCTO_MANIFEST_NOT_FOUND)\n',
  );
  await mkdir(join(cwd, 'conf'));
  expect(await told('run', 'daily', '--manifest', 'conf')).toBe(
    'octo-host: the manifest conf is a folder; name the file in it (OCTO_MANIFEST_NOT_FOUND)\n',
  );
});
