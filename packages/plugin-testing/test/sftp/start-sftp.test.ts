import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ssh2, { type ConnectConfig, type SFTPWrapper } from 'ssh2';
import { afterEach, expect, test } from 'vitest';
import { generatedContent } from '../../src/sftp/file-content.ts';
import { hostKeyFrom, hostKeyFromSeed, rsaHostKey } from '../../src/sftp/host-key.ts';
import { SFTP_SERVE_MODULE } from '../../src/sftp/serve-module.ts';
import { type SftpServer, startSftp } from '../../src/sftp/start-sftp.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const PASSWORD = { username: 'octo', password: 'loopback' };

test('a user logs in with the password and reads a file from memory', async () => {
  const server = await started();
  server.tree.file('/outbound/a.csv', 'date,total\n');
  const sftp = await login(server, PASSWORD);
  expect(await contentThrough(sftp, '/outbound/a.csv')).toBe('date,total\n');
});

test('a wrong password is refused and remembered', async () => {
  const server = await started();
  await expect(login(server, { username: 'octo', password: 'wrong' })).rejects.toThrow(/auth/);
  expect(server.logins).toContainEqual({ method: 'password', password: 'wrong' });
});

test('a key logs in only with a signature by that key', async () => {
  const known = hostKeyFromSeed('known user');
  const other = hostKeyFromSeed('other user');
  const server = await started({ users: [{ username: 'octo', publicKeys: [known.line] }] });
  await login(server, { username: 'octo', privateKey: known.privateKey });
  await expect(login(server, { username: 'octo', privateKey: other.privateKey })).rejects.toThrow(
    /auth/,
  );
});

test('the same seed gives the same host key, and the server shows it', async () => {
  const key = hostKeyFromSeed('demo');
  expect(hostKeyFromSeed('demo')).toEqual(key);
  expect(hostKeyFromSeed('other').fingerprint).not.toBe(key.fingerprint);
  const server = await started({ hostKeys: [key.privateKey, rsaHostKey().privateKey] });
  expect(server.hostKeys[0]).toBe(key.fingerprint);
  const shown: Buffer[] = [];
  await login(server, { ...PASSWORD, hostVerifier: (blob: Buffer) => shown.push(blob) > 0 });
  expect(shown[0]?.toString('base64')).toBe(key.line.split(' ')[1]);
  expect(hostKeyFrom(key.privateKey)).toEqual(key);
});

test('a real folder is served, and a rename onto a file is refused', async () => {
  const root = await temporaryFolder();
  await writeFile(join(root, 'a.csv'), 'one');
  await writeFile(join(root, 'b.csv'), 'two');
  const sftp = await login(await started({ root }), PASSWORD);
  expect(await contentThrough(sftp, '/../../a.csv')).toBe('one');
  await expect(done((end) => sftp.rename('/a.csv', '/b.csv', end))).rejects.toThrow('Failure');
  await done((end) => sftp.mkdir('/archive', end));
  await done((end) => sftp.rename('/a.csv', '/archive/a.csv', end));
  expect(await readFile(join(root, 'archive/a.csv'), 'utf8')).toBe('one');
  expect(await readFile(join(root, 'b.csv'), 'utf8')).toBe('two');
});

test('an open file stays what it was when its name is replaced, and changes when overwritten', async () => {
  const server = await started();
  server.tree.file('/a', 'old').file('/b', 'old');
  server.faults.before = ({ name, path }) => {
    if (name !== 'READ') return;
    if (path === '/a') server.tree.file('/a', 'new');
    else server.tree.overwrite('/b', 'new');
  };
  const sftp = await login(server, PASSWORD);
  expect(await contentThrough(sftp, '/a')).toBe('old');
  expect(await contentThrough(sftp, '/b')).toBe('new');
});

test('generated content of any size is the same from any offset', () => {
  const content = generatedContent(100 * 2 ** 30);
  const whole = Buffer.from(content.read(5_000_000_000, 3000));
  expect(whole.subarray(1000, 2000)).toEqual(content.read(5_000_001_000, 1000));
  expect(whole).not.toEqual(generatedContent(2 ** 40, 2).read(5_000_000_000, 3000));
});

test('the serve module is a process over a folder that says where it listens', async () => {
  const root = await temporaryFolder();
  await writeFile(join(root, 'a.csv'), 'one');
  const hostKey = hostKeyFromSeed('process');
  const module = fileURLToPath(SFTP_SERVE_MODULE);
  const options = JSON.stringify({ root, hostKeys: [hostKey.privateKey] });
  const child = spawn(process.execPath, [module, options], { stdio: ['pipe', 'pipe', 'inherit'] });
  cleanups.push(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const told = JSON.parse(line.toString()) as { port: number; hostKey: string };
  expect(told.hostKey).toBe(hostKey.fingerprint);
  const sftp = await login({ host: '127.0.0.1', port: told.port }, PASSWORD);
  expect(await contentThrough(sftp, '/a.csv')).toBe('one');
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

async function started(options: Parameters<typeof startSftp>[0] = {}): Promise<SftpServer> {
  const server = await startSftp(options);
  cleanups.push(() => server[Symbol.asyncDispose]());
  return server;
}

async function login(
  { host, port }: { host: string; port: number },
  config: ConnectConfig,
): Promise<SFTPWrapper> {
  const client = new ssh2.Client();
  cleanups.push(() => client.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client
    .once('ready', resolve)
    .on('error', reject)
    .connect({ host, port, ...config });
  await promise;
  return done<SFTPWrapper>((end) => client.sftp(end));
}

function contentThrough(sftp: SFTPWrapper, path: string): Promise<string> {
  return done<string>((end) =>
    sftp.readFile(path, 'utf8', (error, content) => end(error, content.toString())),
  );
}

function done<T = void>(
  start: (end: (error?: Error | null, value?: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error instanceof Error) reject(error);
      else resolve(value as T);
    });
  });
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-sftp-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  return folder;
}
