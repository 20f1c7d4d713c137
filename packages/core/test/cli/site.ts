import { definePlugin, type Diagnosis, PluginError } from '@octo/plugin-api';
import { MemorySink } from '@octo/plugin-testing';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { noAudit } from '../../src/audit/audit-trail.ts';
import { rooms, type Rooms } from '../../src/cli/rooms.ts';
import type { InProcessHost } from '../../src/host/in-process-host.ts';
import type { runPipeline } from '../../src/pipeline/run-pipeline.ts';
import { type LoadPlugin, loadPlugin as loadInstalled } from '../../src/host/load-plugin.ts';
import { stepKinds } from '../../src/pipeline/steps/index.ts';
import { MemoryRunStore } from '../jobs/memory-runs.ts';
import { MemoryBreakers } from '../policy/memory-breakers.ts';
import { OpenPaces } from '../policy/memory-paces.ts';
import { MemoryLedger } from '../ledger/memory-ledger.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { testEnvironment, type TestEnvironment } from './test-environment.ts';

/** What the provider of a site does; a test changes it. */
export interface Vendor {
  diagnose: (signal: AbortSignal) => AsyncIterable<Diagnosis>;
  start?: (signal: AbortSignal) => Promise<void>;
  health?: (signal: AbortSignal) => Promise<void>;
}

export interface Site {
  readonly folder: string;
  readonly environment: TestEnvironment;
  readonly ledger: MemoryLedger;
  readonly runs: MemoryRunStore;
  readonly breakers: MemoryBreakers;
  readonly vendor: Vendor;
}

/** A manifest in a folder of its own, the real host, two plugins made here, ledger and runs in memory. */
export async function site(manifest: string): Promise<Site> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'plugins.json'), manifest);
  const vendor: Vendor = { diagnose: everythingPasses };
  const plugins = { vendor: vendorPlugin(vendor), memory: memoryPlugin };
  const loadPlugin: LoadPlugin = async (use, from) =>
    plugins[use as keyof typeof plugins] ?? (await loadInstalled(use, from));
  const environment = testEnvironment({ cwd: folder });
  const ledger = new MemoryLedger({ clock: environment.clock });
  const runs = new MemoryRunStore(environment.clock);
  const breakers = new MemoryBreakers(() => environment.clock.now());
  const opened = {
    createHost: ((read, options) =>
      rooms.createHost(read, {
        ...options,
        isolation: 'none',
        stepKinds,
        loadPlugin,
      })) as typeof rooms.createHost,
    describePlugin: loadPlugin,
    // Writing to the disk takes real time, and these tests have a clock of their own.
    openAudit: async () => noAudit,
    openLedger: async () => Object.assign(ledger, { withRun: () => ledger }),
    openRuns: async ({ host = 'nobody' }: { readonly host?: string }) => runs.host(host),
    openPolicy: async () => ({
      breakers,
      paces: new OpenPaces(),
      [Symbol.asyncDispose]: async () => {},
    }),
    hostName: async () => 'host-1',
  };
  return {
    folder,
    ledger,
    runs,
    breakers,
    vendor,
    environment: { ...environment, rooms: { ...rooms, ...opened } },
  };
}

/** The same site, where a run does what a test says; plugins are loaded and held as ever. */
export function withRuns(given: Rooms, run: typeof runPipeline): Rooms {
  return {
    ...given,
    createHost: async (...args) => {
      const host = (await given.createHost(...args)) as InProcessHost;
      const value: InProcessHost['run'] = async (id, place, signal) => {
        using lease = host.lease(id);
        return await run(lease.pipeline, place, AbortSignal.any([signal, lease.signal]));
      };
      return Object.defineProperty(host, 'run', { value });
    },
  };
}

export const goodManifest = `{
  "plugins": {
    "acme": { "use": "vendor", "config": { "host": "sftp.test", "password": "hunter2hunter2" } },
    "lake": { "use": "memory" }
  },
  "pipelines": {
    "trades": { "from": "acme", "to": "lake", "key": "{name}", "every": "5m" }
  }
}`;

async function* everythingPasses(): AsyncIterable<Diagnosis> {
  yield { step: 'connect', outcome: 'passed', detail: '127.0.0.1' };
  yield { step: 'list', outcome: 'passed', detail: '3 files' };
}

function vendorPlugin(vendor: Vendor) {
  return definePlugin({
    name: 'vendor',
    kind: 'provider',
    summary: 'A vendor for tests',
    configSchema: {
      type: 'object',
      required: ['host'],
      additionalProperties: false,
      properties: {
        host: { type: 'string', description: 'where it is' },
        port: { type: 'integer', default: 22 },
        password: { type: 'string', secret: true },
        afterCommit: {
          oneOf: [
            { enum: ['leave', 'delete'] },
            {
              type: 'object',
              additionalProperties: false,
              properties: { moveTo: { type: 'string' } },
            },
          ],
          default: 'leave',
        },
      },
      examples: [{ host: 'sftp.test' }],
    },
    create: () => ({
      settleMs: 0,
      connect: async () => {
        throw new PluginError('network', 'not in this test');
      },
      diagnose: (signal) => vendor.diagnose(signal),
      ...(vendor.start && { start: vendor.start }),
      ...(vendor.health && { health: vendor.health }),
    }),
  });
}

const memoryPlugin = definePlugin({
  name: 'memory',
  kind: 'sink',
  configSchema: { type: 'object', additionalProperties: false, properties: {} },
  create: () => new MemorySink(),
});
