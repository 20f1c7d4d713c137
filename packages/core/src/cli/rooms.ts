import type { openAudit } from '../audit/open-audit.ts';
import type { describePlugin } from '../host/describe-plugin.ts';
import type { createHost } from '../host/host.ts';
import type { readServed } from '../host/served-note.ts';
import type { readWorkers } from '../host/workers-note.ts';
import type { openRuns } from '../jobs/open-runs.ts';
import type { openDatabase, openLedger } from '../ledger/open-ledger.ts';
import type { readManifest } from '../manifest/read-manifest.ts';
import type { SecretSource } from '../manifest/secret-source.ts';
import type { SecretSourceOptions } from '../secrets/secret-source-of.ts';
import type { watchManifest } from '../manifest/watch.ts';
import type { openNotifying } from '../notify/open-notifying.ts';
import type { openPolicy } from '../policy/open-policy.ts';
import type { stepKinds } from '../pipeline/steps/index.ts';
import type { hostRuns, lockHost } from '../state/host-lock.ts';
import type { hostName } from '../state/host-name.ts';

/** The rooms below the command line. They are loaded when a command first needs them; tests put others in place. */
export interface Rooms {
  readonly readManifest: typeof readManifest;
  /** The store of secrets that belongs to a state folder. */
  readonly secretSource: (place: SecretSourceOptions) => Promise<SecretSource>;
  readonly watchManifest: (
    ...args: Parameters<typeof watchManifest>
  ) => Promise<ReturnType<typeof watchManifest>>;
  readonly createHost: typeof createHost;
  readonly stepKinds: () => Promise<typeof stepKinds>;
  readonly describePlugin: typeof describePlugin;
  readonly openLedger: typeof openLedger;
  readonly openDatabase: typeof openDatabase;
  readonly openRuns: typeof openRuns;
  readonly openPolicy: typeof openPolicy;
  readonly hostName: typeof hostName;
  readonly openNotifying: typeof openNotifying;
  readonly openAudit: typeof openAudit;
  readonly lockHost: typeof lockHost;
  readonly hostRuns: typeof hostRuns;
  readonly readServed: typeof readServed;
  readonly readWorkers: typeof readWorkers;
}

export const rooms: Rooms = {
  readManifest: async (...args) =>
    (await import('../manifest/read-manifest.ts')).readManifest(...args),
  secretSource: async (place) =>
    (await import('../secrets/secret-source-of.ts')).secretSourceOf(place),
  watchManifest: async (...args) => (await import('../manifest/watch.ts')).watchManifest(...args),
  createHost: async (...args) => (await import('../host/host.ts')).createHost(...args),
  stepKinds: async () => (await import('../pipeline/steps/index.ts')).stepKinds,
  describePlugin: async (...args) =>
    (await import('../host/describe-plugin.ts')).describePlugin(...args),
  openLedger: async (...args) => (await import('../ledger/open-ledger.ts')).openLedger(...args),
  openDatabase: async (...args) => (await import('../ledger/open-ledger.ts')).openDatabase(...args),
  openRuns: async (...args) => (await import('../jobs/open-runs.ts')).openRuns(...args),
  openPolicy: async (...args) => (await import('../policy/open-policy.ts')).openPolicy(...args),
  hostName: async (...args) => (await import('../state/host-name.ts')).hostName(...args),
  openNotifying: async (...args) =>
    (await import('../notify/open-notifying.ts')).openNotifying(...args),
  openAudit: async (...args) => (await import('../audit/open-audit.ts')).openAudit(...args),
  lockHost: async (...args) => (await import('../state/host-lock.ts')).lockHost(...args),
  hostRuns: async (...args) => (await import('../state/host-lock.ts')).hostRuns(...args),
  readServed: async (...args) => (await import('../host/served-note.ts')).readServed(...args),
  readWorkers: async (...args) => (await import('../host/workers-note.ts')).readWorkers(...args),
};
