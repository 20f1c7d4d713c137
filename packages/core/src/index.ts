/**
 * The host for programs that embed it; everybody else uses the command `octo-host`. The order is that of the command
 * `run`: readManifest → createHost → host.start → openLedger → host.run. A changed manifest: host.apply.
 */
export { OctoError, type Issue } from './errors/octo-error.ts';
export { createHost, type Host, type HostOptions, type RunPlace } from './host/host.ts';
export type { Ledger } from './ledger/ledger.ts';
export { openLedger, type OpenLedgerOptions } from './ledger/open-ledger.ts';
export type { Manifest } from './manifest/manifest.ts';
export type { Changes, Plan, Started } from './manifest/plan.ts';
export { readManifest, type ReadManifestOptions } from './manifest/read-manifest.ts';
export type { RunEvent, RunReport } from './pipeline/run-report.ts';
export { stepKinds } from './pipeline/steps/index.ts';
