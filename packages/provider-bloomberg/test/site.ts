/** Bloomberg on loopback, a folder as sink, a manifest between them, and `octo-host` in this process. */
import { setTimeout as pause } from 'node:timers/promises';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@octo/plugin-api';
import {
  type BloombergRest,
  type BloombergRestOptions,
  type BloombergSftp,
  type BloombergSftpOptions,
  startBloombergRest,
  startBloombergSftp,
} from '@octo/plugin-testing';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { runCommand } from '../../core/src/cli/main.ts';
import { rooms } from '../../core/src/cli/rooms.ts';
import { openLedger } from '../../core/src/ledger/open-ledger.ts';
import { Redactor } from '../../core/src/observe/redactor.ts';
import { copyClusterIntoState } from '../../core/test/ledger/copied-cluster.ts';

type Fields = { readonly [name: string]: unknown };

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `run --json` prints. */
export interface RunResult {
  readonly delivered: readonly { readonly path: string; readonly key: string }[];
  readonly quarantined: readonly { readonly path: string; readonly reason: string }[];
  readonly failed: readonly { readonly path: string; readonly error: string }[];
  readonly pending: readonly { readonly path: string }[];
  readonly duplicates: readonly unknown[];
  readonly warnings: readonly { readonly path: string; readonly message: string }[];
  readonly error?: string;
}

export interface Site {
  octo(...argv: readonly string[]): Promise<Ended>;
  /** `octo-host run bloomberg-eod --json` */
  run(): Promise<RunResult & { readonly code: number; readonly said: string }>;
  /** Every file at the sink that anybody can see. */
  visible(): Promise<readonly string[]>;
  content(key: string): Promise<string>;
  /** Changes the provider's configuration in the manifest. */
  change(config: Fields): Promise<void>;
}

export interface SiteOptions {
  /** Over the provider's configuration. */
  readonly config?: Fields;
  /** Over the pipeline. */
  readonly pipeline?: Fields;
  readonly policy?: Fields;
}

let stateFolder: string;

/** One state for all sites of a test file, with its database up from the first test to the last. */
export function withLedger(): void {
  let close: () => Promise<void>;
  beforeAll(async () => {
    stateFolder = await mkdtemp(join(tmpdir(), 'octo-bloomberg-state-'));
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

export async function restSite(
  server: BloombergRest,
  { config = {}, ...options }: SiteOptions = {},
): Promise<Site> {
  const credential = JSON.stringify(server.credential);
  const access = {
    credential: '${file:credential.txt}',
    endpoint: server.url,
    tokenEndpoint: server.oauthUrl,
  };
  return await site({ ...access, ...config }, credential, options);
}

export async function sftpSite(
  server: BloombergSftp,
  { config = {}, ...options }: SiteOptions = {},
): Promise<Site> {
  const { host, hostKey, password, port, username } = server;
  const access = { transport: 'sftp', host, port, username, hostKeys: [hostKey] };
  const secret = { password: '${file:credential.txt}' };
  return await site({ ...access, ...secret, settleMs: 0, ...config }, password, options);
}

export async function bloombergRest(options: BloombergRestOptions = {}): Promise<BloombergRest> {
  const server = await startBloombergRest(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

export async function bloombergSftp(options: BloombergSftpOptions = {}): Promise<BloombergSftp> {
  const server = await startBloombergSftp(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A response in CSV, with so many securities. */
export function csvReply(requestId: string, securities: number, price = '231.45'): string {
  const head = 'DL_REQUEST_ID,DL_REQUEST_NAME,DL_SNAPSHOT_START_TIME,DL_SNAPSHOT_TZ,IDENTIFIER,RC';
  const rows = Array.from(
    { length: securities },
    (_, i) =>
      `${requestId},${requestId},2026-01-15T22:04:44,UTC,SYN${String(i).padStart(6, '0')} US Equity,0,${price},${(i * 2_654_435_761) % 4_294_967_296}`,
  );
  return [`${head},PX_LAST,PX_VOLUME`, ...rows, ''].join('\r\n');
}

async function site(
  config: Fields,
  secret: string,
  { pipeline = {}, policy = {} }: SiteOptions,
): Promise<Site> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'octo-bloomberg-site-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'credential.txt'), secret, { mode: 0o600 });
  const manifest = (changed: Fields = {}) => ({
    plugins: {
      bloomberg: {
        use: join(import.meta.dirname, '../src/index.ts'),
        config: { ...config, ...changed },
        policy: { attempts: 2, ...policy },
      },
      lake: {
        use: join(import.meta.dirname, '../../sink-fs/src/index.ts'),
        config: { directory: './out' },
      },
    },
    pipelines: {
      'bloomberg-eod': {
        from: 'bloomberg',
        to: 'lake',
        steps: ['decompress', 'verify'],
        key: '{name}',
        ...pipeline,
      },
    },
  });
  const write = async (changed?: Fields) =>
    await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest(changed)));
  await write();
  const octo: Site['octo'] = (...argv) => octoHost(argv, folder);
  return {
    octo,
    async run() {
      const { code, stderr, stdout } = await octo('run', 'bloomberg-eod', '--json');
      return { code, said: stderr, ...(JSON.parse(stdout) as RunResult) };
    },
    visible: async () =>
      (await listed(join(folder, 'out'))).filter((path) => !path.startsWith('.octo/')),
    change: write,
    content: async (key) => await readFile(join(folder, 'out', key), 'utf8'),
  };
}

/** The machine's time, but pauses are short: what is waited for is there or comes soon. Deadlines stay what they are. */
const hurriedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    pause(ms < DEADLINE_MS ? ms / 20 : ms, undefined, signal === undefined ? {} : { signal }).catch(
      (error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      },
    ),
};
const DEADLINE_MS = 20_000;

async function octoHost(argv: readonly string[], cwd: string): Promise<Ended> {
  const [stdout, stderr] = [new MemoryOutput(), new MemoryOutput()];
  const code = await runCommand(argv, {
    // In this process, whose clock is hurried; a worker has the system's.
    env: { OCTO_STATE: stateFolder, OCTO_ISOLATION: 'none' },
    cwd,
    clock: hurriedClock,
    random: () => 0,
    signal: new AbortController().signal,
    onHangup: () => ({ [Symbol.dispose]: () => {} }),
    rooms,
    redactor: new Redactor(),
    stdout,
    stderr,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class MemoryOutput {
  text = '';
  readonly isTerminal = false;
  readonly columns = 200;

  write(text: string): void {
    this.text += text;
  }
}

async function listed(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
