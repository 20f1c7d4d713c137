import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OctoError } from '../../errors/octo-error.ts';
import { diskFull } from '../state-error.ts';
import { postgresEnvironment } from './run-program.ts';
import { dataArgument, unprivileged } from './unprivileged.ts';

const LOG_BYTES = 4 * 1024 * 1024;

/** Only a socket, and only for the owner of the folder; small, because the ledger is. `fsync` stays as it is: on. */
const SETTINGS = [
  'listen_addresses=',
  'unix_socket_directories=.',
  'unix_socket_permissions=0700',
  'max_connections=60',
  'shared_buffers=32MB',
  'jit=off',
  'log_checkpoints=off',
  'cluster_name=octo',
];

/** A server that was started here. It goes on when this process dies: the next one adopts it. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #logOffset: number;
  #ended: string | undefined;

  private constructor(child: ChildProcess, log: string, logOffset: number) {
    this.#child = child;
    this.#log = log;
    this.#logOffset = logOffset;
    child.once('error', (error) => (this.#ended = error.message));
    child.once('exit', (code, signal) => (this.#ended = `it ended with ${signal ?? code}`));
    child.unref();
  }

  static async start(data: string, binaries: string, folder: string): Promise<ServerProcess> {
    const log = join(folder, 'log');
    await rotate(log);
    await using output = await open(log, 'a', 0o600);
    const { size } = await output.stat();
    const child = spawn(
      join(binaries, 'bin', 'postgres'),
      ['-D', dataArgument(data), ...SETTINGS.flatMap((setting) => ['-c', setting])],
      {
        ...unprivileged(),
        cwd: data,
        // Its own session: an interrupt at the terminal is for us, and we stop it in good order.
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
        env: postgresEnvironment(),
      },
    );
    return new ServerProcess(child, log, size);
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** What went wrong, from its own log. */
  async failure(folder: string): Promise<OctoError> {
    const text = (await readFile(this.#log)).subarray(this.#logOffset).toString('utf8');
    if (/No space left on device|quota exceeded/i.test(text)) return diskFull(folder);
    const lines = text.split('\n').filter((line) => /FATAL|PANIC|ERROR|error while/.test(line));
    const said = (lines.at(-1) ?? '').replace(/^.*?(FATAL|PANIC|ERROR): +/, '');
    return new OctoError(
      'OCTO_DATABASE_FAILED',
      `the embedded PostgreSQL did not start (${said || this.#ended || 'no word from it'}); see ${this.#log}, or set DATABASE_URL to a PostgreSQL of your own`,
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }
}

async function rotate(log: string): Promise<void> {
  const found = await stat(log).catch(() => undefined);
  if (found !== undefined && found.size > LOG_BYTES) await rename(log, `${log}.1`);
}
