import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { extname, join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import type { Ground } from './ground.ts';

/** A process of which nothing is known yet but that it was started. */
export interface Launched {
  readonly pid: number | undefined;
  readonly channel: Duplex;
  /** What it prints. */
  readonly output: readonly Readable[];
  /** Resolves when it has ended: how, in words. */
  readonly ended: Promise<string>;
  /** Signals the process and everything that it has started. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface LaunchOptions {
  readonly ground: Ground;
  /** A folder of its own; it may write there. Without one it writes nowhere. */
  readonly folder?: string;
  readonly memoryBytes: number;
}

/** In a test the program is run from its source. */
const EXTENSION = extname(import.meta.filename);
const PROGRAM = join(import.meta.dirname, '..', 'worker', `main${EXTENSION}`);
const FROM_SOURCE = EXTENSION === '.ts' ? ['--conditions=octo-source'] : [];

/** Of V8's own heap; what lies outside of it, such as Buffers, is watched from here. */
const HEAP_SHARE = 0.75;
const MIB = 1024 * 1024;

/**
 * Starts the worker program in a process group of its own, with Node's permissions switched on and an environment of
 * nothing. Where Linux has the tools for it, the process also leaves no core dump and dies with its host.
 */
export function launch({ ground, folder, memoryBytes }: LaunchOptions): Launched {
  const [command, ...args] = [
    ...bounds(),
    process.execPath,
    ...permissions(ground, folder),
    `--max-old-space-size=${Math.max(32, Math.floor((memoryBytes * HEAP_SHARE) / MIB))}`,
    ...FROM_SOURCE,
    PROGRAM,
  ];
  const child = spawn(command, args, {
    cwd: folder ?? '/',
    detached: true,
    env: {
      ...THREADS,
      ...passedOn(),
      ...ground.env,
      ...(folder !== undefined && ownPlaces(folder)),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  return {
    pid: child.pid,
    channel: child.stdio[3] as Duplex,
    output: [child.stdout!, child.stderr!],
    ended: endOf(child),
    kill: (signal) => killGroup(child, signal),
  };
}

function permissions({ read, write, network }: Ground, folder: string | undefined): string[] {
  const own = folder === undefined ? [] : [folder];
  const places = (kind: 'read' | 'write', paths: readonly string[]) =>
    // What does not exist yet is no folder to Node: the second spelling is for when it has become one.
    [...new Set(paths)].flatMap((path) => [
      `--allow-fs-${kind}=${path}`,
      `--allow-fs-${kind}=${join(path, '*')}`,
    ]);
  return [
    '--permission',
    ...places('read', [...read, ...write, ...own]),
    ...places('write', [...write, ...own]),
    ...(network ? ['--allow-net'] : []),
    // Of the permissions themselves; whoever runs this host knows.
    '--disable-warning=ExperimentalWarning',
    // It opens any file, whatever the permissions say.
    '--no-experimental-sqlite',
    // No signal opens a debugger.
    '--disable-sigusr1',
  ];
}

/** Compiled code is kept where nobody else's worker can put it. */
function ownPlaces(folder: string): Record<string, string> {
  return { TMPDIR: folder, NODE_COMPILE_CACHE: join(folder, 'compiled') };
}

/** Node's four are not enough for many files that wait for the disk at the same time. */
const THREADS = { UV_THREADPOOL_SIZE: '16' };

const PASSED_ON = ['TZ', 'LANG', 'LC_ALL', 'NODE_EXTRA_CA_CERTS'];

function passedOn(): Record<string, string> {
  const entries = PASSED_ON.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

/** Of util-linux: no core dump, which would hold secrets; no endless files; killed when the host dies, however it dies. */
const TOOLS = [
  ['prlimit', '--core=0', '--nofile=8192'],
  ['setpriv', '--pdeathsig', 'KILL', '--no-new-privs'],
] as const;

let known: readonly string[] | undefined;

function bounds(): readonly string[] {
  known ??=
    process.platform === 'linux'
      ? TOOLS.flatMap(([tool, ...args]) => {
          const path = toolAt(tool);
          return path === undefined ? [] : [path, ...args, '--'];
        })
      : [];
  return known;
}

function toolAt(name: string): string | undefined {
  for (const folder of ['/usr/bin', '/bin', '/usr/local/bin', '/sbin', '/usr/sbin']) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not here.
    }
  }
  return undefined;
}

async function endOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => resolve(`could not be started: ${error.message}`));
  child.once('exit', (code, signal) =>
    resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
  );
  return await promise;
}

function killGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}
