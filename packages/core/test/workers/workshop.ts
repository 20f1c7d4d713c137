import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RecordingLogger } from '@octo/plugin-testing';
import { onTestFinished } from 'vitest';
import type { HostOptions } from '../../src/host/host.ts';
import { IsolatedHost } from '../../src/host/isolated-host.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import type { Narrowing } from '../../src/pipeline/narrowing.ts';
import type { RunReport } from '../../src/pipeline/run-report.ts';
import type { WorkerStatus } from '../../src/workers/worker-status.ts';
import { MemoryLedger } from '../ledger/memory-ledger.ts';

const never = new AbortController().signal;

/** A folder with plugins of a test's own, and hosts whose workers run them. */
export interface Workshop {
  readonly folder: string;
  readonly logger: RecordingLogger;
  readonly ledger: MemoryLedger;
  /** Makes a file below the folder. */
  file(path: string, text: string): Promise<void>;
  manifest(manifest: object): Promise<Awaited<ReturnType<typeof readManifest>>>;
  host(manifest: object, options?: Partial<HostOptions>): Promise<OpenedHost>;
  /** What lies in a folder, by name; without hidden files. */
  contents(folder: string): Promise<{ readonly [name: string]: string }>;
}

export interface OpenedHost {
  readonly host: IsolatedHost;
  /** The latest that the host has told of its workers, by pipeline. */
  readonly workers: () => { readonly [pipeline: string]: WorkerStatus };
  readonly run: (pipeline: string, only?: Narrowing) => Promise<RunReport>;
}

/** Opened for one test, and gone with it. */
export async function openWorkshop(env: Readonly<Record<string, string>> = {}): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-workers-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const logger = new RecordingLogger();
  const ledger = new MemoryLedger({ clock: systemClock });
  const file = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const manifest = async (value: object) => {
    await file('plugins.json', JSON.stringify(value));
    return await readManifest(join(folder, 'plugins.json'), { env });
  };
  return {
    folder,
    logger,
    ledger,
    file,
    manifest,
    async host(value, options = {}) {
      let told: readonly WorkerStatus[] = [];
      const host = await IsolatedHost.create(await manifest(value), {
        logger,
        clock: systemClock,
        stateFolder: join(folder, '.octo'),
        env,
        onWorkers: (workers) => (told = workers),
        ...options,
      });
      onTestFinished(() => host[Symbol.asyncDispose]());
      const place = { ledger, clock: systemClock, logger, random: () => 0.5, spoolFolder: '' };
      return {
        host,
        workers: () => Object.fromEntries(told.map((one) => [one.pipeline, one])),
        run: (pipeline, only = {}) => host.run(pipeline, { ...place, only }, never),
      };
    },
    async contents(name) {
      const found: Record<string, string> = {};
      for (const entry of await readdir(join(folder, name)).catch(() => []))
        if (!entry.startsWith('.'))
          found[entry] = await readFile(join(folder, name, entry), 'utf8');
      return found;
    },
  };
}

/** A plugin as a package without a copy of the contract would have it: plain data. */
export function pluginModule(
  kind: 'provider' | 'sink' | 'secrets',
  body: string,
  properties = '{}',
): string {
  return `
const configSchema = { type: 'object', additionalProperties: false, properties: ${properties} };
export default { $octo: '@octo/plugin', contract: 1, name: 'made', kind: '${kind}', configSchema, inject: {},
  create: ({ id, config, logger, baseFolder }) => { ${body} } };
`;
}

/** A provider of files that a configuration spells out: `{ "files": { "a.csv": "x" } }`. */
export const shelfModule = pluginModule(
  'provider',
  `
  const all = Object.entries(config.files ?? {});
  const file = ([name, text]) => ({ path: name, name, size: Buffer.byteLength(text), mtimeMs: 1000, complete: true });
  return { settleMs: 0, connect: async () => ({
    list: async function* () { for (const one of all) yield file(one); },
    stat: async ({ name }) => file([name, config.files[name]]),
    read: async function* ({ name }, { offset }) { yield Buffer.from(config.files[name]).subarray(offset); },
    async [Symbol.asyncDispose]() {},
  }) };`,
  `{ files: { type: 'object', additionalProperties: { type: 'string' } } }`,
);
