import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { BLOOMBERG_SERVE_MODULE, type BloombergRest, type BloombergSftp } from '../../src/index.ts';
import { call } from './rest-client.ts';
import { login } from './sftp-client.ts';

test('a process of its own says where it can be reached, and ends when its input ends', async () => {
  const options = JSON.stringify({ rest: { account: '77' }, sftp: { username: 'dl77' } });
  const args = [fileURLToPath(BLOOMBERG_SERVE_MODULE), options];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { rest, sftp } = JSON.parse(line.toString()) as {
    readonly rest: BloombergRest;
    readonly sftp: BloombergSftp;
  };
  expect((await call(rest, '/catalogs/77/')).json()).toMatchObject({ identifier: '77' });
  await using client = await login(sftp);
  expect(await client.list()).toEqual({});
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});
