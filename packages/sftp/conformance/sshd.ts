/** A real OpenSSH server on a free port of loopback, over a temporary folder, for this user and one key. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { hostKeyFromSeed, rsaHostKey, type HostKey } from '@octo/plugin-testing';
import type { SftpOptions } from '../src/index.ts';

export const SSHD: string | undefined = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) =>
  existsSync(path),
);
export const SSHD_MISSING =
  'these tests need a real OpenSSH server and there is no sshd in /usr/sbin; install it with: ' +
  'apt-get install openssh-server';

export interface Sshd extends AsyncDisposable {
  /** The folder that a login lands in, absolute. */
  readonly folder: string;
  readonly ed25519: HostKey;
  readonly rsa: HostKey;
  /** What a client needs to log in. */
  readonly options: SftpOptions;
}

/** @param settings of its configuration, beside ours */
export async function startSshd(settings: { readonly [name: string]: string } = {}): Promise<Sshd> {
  const place = await mkdtemp(join(tmpdir(), 'octo-sshd-'));
  const folder = join(place, 'data');
  await mkdir(folder);
  const keys = { ed25519: hostKeyFromSeed('sshd'), rsa: rsaHostKey() };
  const user = hostKeyFromSeed('user');
  const port = await freePort();
  for (const [name, text] of [
    ['host_ed25519', keys.ed25519.privateKey],
    ['host_rsa', keys.rsa.privateKey],
    ['authorized_keys', `${user.line}\n`],
    ['sshd_config', config(place, port) + lines(settings)],
  ] as const) {
    await writeFile(join(place, name), text, { mode: 0o600 });
  }
  // Debian's sshd wants its empty folder when it runs as root.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  const sshd = spawn(SSHD ?? '', ['-D', '-e', '-f', join(place, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await listening(sshd.stderr);
  sshd.stderr.resume();
  return {
    folder,
    ...keys,
    options: {
      host: '127.0.0.1',
      port,
      username: userInfo().username,
      privateKey: user.privateKey,
      hostKeys: [keys.ed25519.fingerprint],
    },
    [Symbol.asyncDispose]: async () => {
      const exited = once(sshd, 'exit');
      sshd.kill('SIGTERM');
      await exited;
      await rm(place, { recursive: true });
    },
  };
}

function config(place: string, port: number): string {
  return `Port ${port}
ListenAddress 127.0.0.1
HostKey ${place}/host_ed25519
HostKey ${place}/host_rsa
PidFile ${place}/sshd.pid
AuthorizedKeysFile ${place}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp -d ${place}/data
ForceCommand internal-sftp -d ${place}/data
AllowTcpForwarding no
X11Forwarding no
LogLevel INFO
`;
}

function lines(settings: { readonly [name: string]: string }): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

async function listening(log: NodeJS.ReadableStream): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: log })) {
    if (/Server listening/.test(line)) return;
    said.push(line);
  }
  throw new Error(`sshd did not start: ${said.join(' | ')}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
