import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { acmeServer } from './acme-server.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const octoHost = join(root, 'packages/core/bin/octo-host.mjs');
const execute = promisify(execFile);

let folder = '';

beforeAll(async () => {
  // The real path: macOS has its temporary folder behind a link.
  folder = await realpath(await mkdtemp(join(tmpdir(), 'octo-third-party-')));
  await Promise.all([
    install('packages/plugin-api', '@octo/plugin-api'),
    install('packages/crc64nvme', '@octo/crc64nvme'),
    install('packages/sink-fs', '@octo/sink-fs'),
    install('examples/provider-minimal', '@acme/provider-minimal'),
  ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `npm install` does with a published package, without a registry: pack, and unpack into node_modules. */
async function install(source: string, name: string): Promise<void> {
  const packed = join(folder, 'packed', name);
  const target = join(folder, 'node_modules', name);
  await Promise.all([mkdir(packed, { recursive: true }), mkdir(target, { recursive: true })]);
  const offline = ['--offline', '--ignore-scripts', '--cache', join(folder, 'npm-cache')];
  await execute('npm', ['pack', join(root, source), '--pack-destination', packed, ...offline]);
  const [tarball = ''] = await readdir(packed);
  await execute('tar', ['-xzf', join(packed, tarball), '-C', target, '--strip-components', '1']);
}

async function run(manifest: unknown): Promise<{ code: number; stdout: string; stderr: string }> {
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest));
  const argv = [octoHost, 'run', 'acme', '--json', '--manifest', join(folder, 'plugins.json')];
  try {
    return { code: 0, ...(await execute(process.execPath, argv)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

function manifest(baseUrl: string, token: string): unknown {
  return {
    plugins: {
      acme: { use: '@acme/provider-minimal', config: { baseUrl, token } },
      local: { use: '@octo/sink-fs', config: { directory: './delivered' } },
    },
    pipelines: { acme: { from: 'acme', to: 'local', key: 'acme/{date:yyyy/MM/dd}/{name}' } },
  };
}

test('a provider from outside the workspace delivers, knowing only @octo/plugin-api', async () => {
  await using server = await acmeServer('a-secret-token', {
    'trades 1.csv': 'id,amount\n1,10.00\n',
    'trades 2.csv': 'id,amount\n2,20.00\n',
  });
  const first = await run(manifest(server.baseUrl, 'a-secret-token'));
  expect(first).toMatchObject({ code: 0, stderr: '' });
  const { delivered } = JSON.parse(first.stdout) as { delivered: { key: string }[] };
  expect(delivered.map(({ key }) => key).toSorted()).toEqual([
    'acme/2026/01/15/trades 1.csv',
    'acme/2026/01/15/trades 2.csv',
  ]);
  const file = join(folder, 'delivered', 'acme/2026/01/15/trades 1.csv');
  expect(await readFile(file, 'utf8')).toBe('id,amount\n1,10.00\n');

  const second = await run(manifest(server.baseUrl, 'a-secret-token'));
  expect(JSON.parse(second.stdout)).toMatchObject({ discovered: 2, delivered: [] });
});

test('a token that Acme refuses ends in one line without the token', async () => {
  await using server = await acmeServer('another-token', {});
  const { code, stdout, stderr } = await run(manifest(server.baseUrl, 'a-secret-token'));
  expect(code).toBe(3);
  expect(stderr.trim()).toBe(`octo-host: Acme answered 401 to ${server.baseUrl}index.json`);
  expect(stdout).not.toContain('a-secret-token');
});

test('it is under fifty lines', async () => {
  const source = await readFile(new URL('../index.js', import.meta.url), 'utf8');
  expect(source.split('\n').length).toBeLessThan(50);
});
