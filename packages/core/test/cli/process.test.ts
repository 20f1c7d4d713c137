import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const octoHost = fileURLToPath(new URL('../../bin/octo-host.mjs', import.meta.url));

/** A vendor that never answers; plain data, as a package without a copy of the contract would have it. */
const silentVendor = `
const configSchema = { type: 'object', additionalProperties: false, properties: {} };
const connect = () => new Promise(() => {});
export default { $octo: '@octo/plugin', contract: 1, name: 'silent', kind: 'provider', configSchema,
  inject: {}, create: () => ({ settleMs: 0, connect }) };
`;
const manifest = {
  plugins: {
    silent: { use: './silent.mjs' },
    local: { use: '@octo/sink-fs', config: { directory: './delivered' } },
  },
  pipelines: { quiet: { from: 'silent', to: 'local', key: '{name}' } },
};

async function run() {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'silent.mjs'), silentVendor);
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest));
  const child = spawn(process.execPath, [octoHost, 'run', 'quiet'], { cwd: folder });
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
  return { child, exit };
}

test('SIGTERM ends a run with one line for people and the exit code of the signal', async () => {
  const { child, exit } = await run();
  let stderr = '';
  for await (const chunk of child.stderr.setEncoding('utf8')) {
    stderr += String(chunk);
    if (stderr === 'connecting to the vendor\n') child.kill('SIGTERM');
  }
  expect(await exit).toEqual([143, null]);
  expect(stderr).toBe(
    'connecting to the vendor\n' +
      'octo-host: interrupted by SIGTERM; the next run takes up what was in flight\n',
  );
});

test('a terminal that goes away after that ends nothing before its database has stopped', async () => {
  const { child, exit } = await run();
  await once(child.stderr, 'data');
  const worker = await workerOf(child.pid!);
  child.kill('SIGTERM');
  while (await isThere(worker));
  child.kill('SIGHUP');
  expect(await exit).toEqual([143, null]);
});

const ps = async (...argv: readonly string[]): Promise<string> =>
  await promisify(execFile)('ps', argv).then(
    ({ stdout }) => stdout,
    () => '',
  );

async function workerOf(host: number): Promise<string> {
  const children = await ps('-o', 'pid=,args=', '--ppid', String(host));
  return / *(\d+) .*worker\/main/.exec(children)?.[1] ?? 'no worker';
}

async function isThere(pid: string): Promise<boolean> {
  const state = (await ps('-o', 'stat=', '-p', pid)).trim();
  return state !== '' && !state.startsWith('Z');
}

test('a reader that goes away is no crash', async () => {
  const child = spawn(process.execPath, [octoHost, 'help']);
  child.stdout.destroy();
  const exit = once(child, 'exit');
  expect(await text(child.stderr)).toBe('');
  expect(await exit).toEqual([0, null]);
});
