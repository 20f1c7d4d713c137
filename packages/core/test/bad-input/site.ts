/** A vendor on loopback, a folder as sink, a manifest between them, and the command line: what a user of the host has. */
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type SftpFaults,
  type SftpServer,
  startSftp,
  type StartSftpOptions,
  type VirtualTree,
} from '@octo/plugin-testing';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import type { Environment } from '../../src/cli/environment.ts';
import { runCommand } from '../../src/cli/main.ts';
import { rooms } from '../../src/cli/rooms.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { Redactor } from '../../src/observe/redactor.ts';
import { MemoryOutput } from '../cli/test-environment.ts';
import { copyClusterIntoState } from '../ledger/copied-cluster.ts';
import { canary, expectNoSecret } from './canaries.ts';

type Fields = { readonly [name: string]: unknown };

export interface SiteOptions {
  /** The files of the vendor, in the folder `/in`. */
  readonly tree?: VirtualTree;
  readonly sftp?: StartSftpOptions;
  readonly faults?: SftpFaults;
  /** Over the vendor's configuration. */
  readonly vendor?: Fields;
  /** The sink in place of the folder `out`. */
  readonly sink?: { readonly use: string; readonly config: Fields };
  /** Over the pipeline. */
  readonly pipeline?: Fields;
  readonly env?: Environment['env'];
}

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Of stdout and stderr together, without empty ones. */
  readonly lines: readonly string[];
}

/** What `run --json` prints. */
export interface RunResult {
  readonly delivered: readonly { readonly path: string; readonly key: string }[];
  readonly quarantined: readonly { readonly path: string; readonly reason: string }[];
  readonly failed: readonly { readonly path: string; readonly error: string }[];
  readonly pending: readonly unknown[];
  readonly warnings: readonly unknown[];
  readonly error?: string;
}

export interface Site {
  readonly folder: string;
  readonly server: SftpServer;
  readonly env: Readonly<Record<string, string | undefined>>;
  octo(argv: readonly string[], overrides?: Partial<Environment>): Promise<Ended>;
  run(): Promise<Ended>;
  runJson(): Promise<Ended & { readonly result: RunResult }>;
  /** Every file at the sink that anybody can see. */
  visible(): Promise<readonly string[]>;
  /** What uploads left behind in the sink's own folder. */
  leftovers(): Promise<readonly string[]>;
}

export const packages: string = join(import.meta.dirname, '../../..');
/** Sources, so that no build is needed. */
export const plugin = (name: string): string => join(packages, name, 'src/index.ts');

let stateFolder: string;

/** One state for all sites of a test file, with its database up from the first test to the last. */
export function withLedger(): void {
  let close: () => Promise<void>;
  beforeAll(async () => {
    stateFolder = await mkdtemp(join(tmpdir(), 'octo-bad-state-'));
    await copyClusterIntoState(stateFolder);
    const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
    const ledger = await openLedger({ stateFolder, logger });
    close = async () => {
      await ledger[Symbol.asyncDispose]();
      await rm(stateFolder, { recursive: true, force: true });
    };
  });
  afterAll(() => close());
}

/** A folder that is gone when the test has ended. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'octo-bad-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const folder = await temporaryFolder();
  const server = await startSftp({
    users: [{ username: 'octo', password: canary.password }],
    ...options.sftp,
    ...(options.tree && { tree: options.tree }),
    ...(options.faults && { faults: options.faults }),
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  if (!server.tree.has('/in')) server.tree.folder('/in');
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest(server, options)));
  const env = { OCTO_STATE: stateFolder, PASSWORD: canary.password, ...options.env };
  const octo: Site['octo'] = (argv, overrides) =>
    octoHost(argv, { cwd: folder, env, ...overrides });
  return {
    folder,
    server,
    env,
    octo,
    run: () => octo(['run', 'daily']),
    async runJson() {
      const ended = await octo(['run', 'daily', '--json']);
      expect(ended.stdout.split('\n')).toHaveLength(2);
      return { ...ended, result: JSON.parse(ended.stdout) as RunResult };
    },
    visible: async () => (await listed(join(folder, 'out'))).filter((path) => !isInternal(path)),
    leftovers: async () =>
      (await listed(join(folder, 'out/.octo/staged'))).filter((path) => !path.endsWith('.key')),
  };
}

/** One command line in this process, as the process of a user would run it. No secret may show in what it says. */
export async function octoHost(
  argv: readonly string[],
  overrides: Partial<Environment>,
): Promise<Ended> {
  const stdout = new MemoryOutput();
  const stderr = new MemoryOutput();
  const code = await runCommand(argv, {
    cwd: '/',
    clock: systemClock,
    random: () => 0,
    signal: new AbortController().signal,
    onHangup: () => ({ [Symbol.dispose]: () => {} }),
    rooms,
    redactor: new Redactor(),
    stdout,
    stderr,
    ...overrides,
    // What a worker adds is tested where workers are; here it would only cost two starts of Node for each run.
    env: { OCTO_ISOLATION: 'none', ...overrides.env },
  });
  expectNoSecret(stdout.text + stderr.text);
  return {
    code,
    stdout: stdout.text,
    stderr: stderr.text,
    lines: [...stdout.lines, ...stderr.lines],
  };
}

function manifest(server: SftpServer, { vendor, sink, pipeline }: SiteOptions): unknown {
  const config = {
    host: server.host,
    port: server.port,
    username: 'octo',
    password: '${env:PASSWORD}',
    hostKeys: server.hostKeys,
    remoteDir: '/in',
    pattern: '.+',
    settleMs: 0,
    ...vendor,
  };
  const policy = { attempts: 2, timeoutMs: 10_000 };
  return {
    plugins: {
      vendor: { use: plugin('provider-affirm'), config: withoutUndefined(config), policy },
      lake: { ...(sink ?? { use: plugin('sink-fs'), config: { directory: './out' } }), policy },
    },
    pipelines: {
      daily: { from: 'vendor', to: 'lake', key: '{name}', doubleRead: false, ...pipeline },
    },
  };
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

async function listed(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

function isInternal(path: string): boolean {
  return path.startsWith('.octo/');
}
