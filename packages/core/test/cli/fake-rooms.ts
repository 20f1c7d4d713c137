import { noAudit } from '../../src/audit/audit-trail.ts';
import type { Host } from '../../src/host/host.ts';
import { ManifestSource } from '../../src/manifest/manifest-source.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { RunOptions } from '../../src/pipeline/run-pipeline.ts';
import type { RunEvent, RunReport } from '../../src/pipeline/run-report.ts';
import { rooms, type Rooms } from '../../src/cli/rooms.ts';
import { MemoryBreakers } from '../policy/memory-breakers.ts';
import { OpenPaces } from '../policy/memory-paces.ts';
import { emptyReport } from '../../src/cli/run-result.ts';

const manifest = {
  plugins: new Map(),
  pipelines: new Map([['affirm', { id: 'affirm', enabled: true, from: 'vendor', to: 'lake' }]]),
  source: new ManifestSource('plugins.json', ''),
} as unknown as Manifest;

/** Rooms whose run does what a test says: for what the command line makes of it. */
export function roomsWithRun(
  run: (say: (event: RunEvent) => void, signal: AbortSignal) => Promise<Partial<RunReport>>,
  look: (options: RunOptions) => void = () => {},
): Rooms {
  const nothing = { [Symbol.asyncDispose]: async () => {} };
  return {
    ...rooms,
    readManifest: async () => manifest,
    createHost: async () =>
      ({
        ...nothing,
        manifest,
        start: async () => {},
        run: async (_id, options, signal) => {
          look(options);
          const { onEvent = () => {} } = options;
          return { ...emptyReport('affirm'), ...(await run(onEvent, signal)) };
        },
      }) satisfies Partial<Host> as never,
    openLedger: async () => nothing as never,
    openPolicy: async () => ({
      ...nothing,
      breakers: new MemoryBreakers(),
      paces: new OpenPaces(),
    }),
    openAudit: async () => noAudit,
  };
}
