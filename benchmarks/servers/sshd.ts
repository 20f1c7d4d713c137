/** A real OpenSSH server on a free port of loopback, over one folder, for this user and one key. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { hostKeyFromSeed } from '@octo/plugin-testing';
import { program } from '../programs.ts';

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  /** Of the client's private key. */
  readonly keyFile: string;
  readonly privateKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** Knows the server's key on every port. */
  readonly knownHosts: string;
}

/** @param place an empty folder of its own, absolute */
export async function startSshd(place: string): Promise<Sshd> {
  await mkdir(place, { recursive: true });
  const host = hostKeyFromSeed('bench-host');
  const client = hostKeyFromSeed('bench-client');
  const port = await freePort();
  const hostLine = host.line.split(' ').slice(0, 2).join(' ');
  for (const [name, text] of [
    ['host_key', host.privateKey],
    ['client_key', client.privateKey],
    ['authorized_keys', `${client.line}\n`],
    ['known_hosts', `* ${hostLine}\n`],
    ['sshd_config', config(place, port)],
  ] as const)
    await writeFile(join(place, name), text, { mode: 0o600 });
  // Debian's sshd wants its empty folder when it runs as root.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  const sshd = spawn(program('sshd'), ['-D', '-e', '-f', join(place, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await listening(sshd.stderr);
  sshd.stderr.resume();
  return {
    port,
    user: userInfo().username,
    keyFile: join(place, 'client_key'),
    privateKey: await readFile(join(place, 'client_key'), 'utf8'),
    fingerprint: host.fingerprint,
    knownHosts: join(place, 'known_hosts'),
    [Symbol.asyncDispose]: async () => {
      const exited = once(sshd, 'exit');
      sshd.kill('SIGTERM');
      await exited;
    },
  };
}

function config(place: string, port: number): string {
  return `Port ${port}
ListenAddress 127.0.0.1
HostKey ${place}/host_key
PidFile ${place}/sshd.pid
AuthorizedKeysFile ${place}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
Subsystem sftp internal-sftp
`;
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
