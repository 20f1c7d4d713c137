import { hostKeyFromSeed, startSftp } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { octoHost, testEnvironment } from './test-environment.ts';

async function scan(...argv: readonly string[]) {
  const environment = { ...testEnvironment(), clock: systemClock };
  const { code, stdout, stderr } = await octoHost(
    ['hostkey', 'scan', ...argv],
    environment as never,
  );
  return { code, stdout: stdout.text, stderr: stderr.text };
}

test('hostkey scan prints what ssh-keygen would, the line to paste, and a warning', async () => {
  const server = await startSftp({});
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { fingerprint } = hostKeyFromSeed('octo loopback');
  const { code, stdout, stderr } = await scan(`127.0.0.1:${server.port}`);
  expect(code).toBe(0);
  expect(stdout).toBe(
    `256 ${fingerprint} [127.0.0.1]:${server.port} (ED25519)\n\n"hostKeys": ["${fingerprint}"]\n`,
  );
  expect(stderr).toContain('only the vendor can say');
  const json = await scan(`127.0.0.1:${server.port}`, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ keys: [{ type: 'ssh-ed25519', fingerprint }] });
});

test('a server that is not there is exit code 3, a word that is no address 2', async () => {
  const gone = await startSftp({});
  const { port } = gone;
  await gone[Symbol.asyncDispose]();
  expect((await scan(`127.0.0.1:${port}`)).code).toBe(3);
  for (const wrong of ['a b', 'host:0', 'host:70000', '-oProxyCommand=x', 'user@host', 'sftp://x'])
    expect((await scan('--', wrong)).code).toBe(2);
});
