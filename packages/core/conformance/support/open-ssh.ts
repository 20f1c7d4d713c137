import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

const SSHD = '/usr/sbin/sshd';

/** Why no real OpenSSH server can be started here, and what to do; `undefined` when it can. */
export function openSshMissing(): string | undefined {
  return existsSync(SSHD) ? undefined : `${SSHD} is missing: apt-get install openssh-server`;
}

export interface OpenSsh extends AsyncDisposable {
  readonly port: number;
  readonly hostKey: string;
  readonly username: string;
  readonly clientKeyFile: string;
  /** The folder that a client sees when it has logged in. */
  readonly root: string;
}

/** A real sshd on a free loopback port, for the current user, that serves `<folder>/root` by SFTP only. */
export async function startOpenSsh(folder: string): Promise<OpenSsh> {
  const root = join(folder, 'root');
  mkdirSync(root, { recursive: true });
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
  const hostKeyFile = keyPair(join(folder, 'host_ed25519'));
  const clientKeyFile = keyPair(join(folder, 'client_ed25519'));
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${clientKeyFile}.pub`));
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(config, sshdConfig(folder, root, port, hostKeyFile));
  const server = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  await listening(server, port);
  const fingerprint = execFileSync('ssh-keygen', ['-lf', `${hostKeyFile}.pub`], {
    encoding: 'utf8',
  });
  return {
    port,
    root,
    clientKeyFile,
    hostKey: fingerprint.split(' ')[1]!,
    username: userInfo().username,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => void server.once('exit', resolve));
      server.kill();
      await ended;
    },
  };
}

function keyPair(file: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return file;
}

function sshdConfig(folder: string, root: string, port: number, hostKeyFile: string): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKeyFile}`,
    `PidFile ${join(folder, 'sshd.pid')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    `Subsystem sftp internal-sftp -d ${root}`,
    `ForceCommand internal-sftp -d ${root}`,
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  let said = '';
  server.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`sshd ended at once: ${said}`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`sshd does not listen: ${said}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
