import type { Clock, Logger } from '@octo/plugin-api';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Auth } from '../auth/open-auth.ts';
import type { Host } from '../host/host.ts';
import type { RecentHealth } from '../host/recent-health.ts';
import type { Runs } from '../jobs/runs.ts';
import type { FileSearch } from '../ledger/file-search.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Breakers } from '../policy/breakers.ts';
import type { AuditReader } from './audit-reader.ts';
import type { ManifestDoor } from './manifest-door.ts';

/** What routes are made from. */
export interface ApiParts {
  readonly host: Pick<Host, 'manifest' | 'instances' | 'redact'>;
  readonly runs: Runs;
  readonly ledger: Pick<Ledger, 'find' | 'history' | 'release'>;
  readonly files: Pick<FileSearch, 'search' | 'redeliver'>;
  readonly manifests: Pick<ManifestDoor, 'shown' | 'validate' | 'plan' | 'apply' | 'reload'>;
  readonly health: Pick<RecentHealth, 'ask'>;
  readonly auth: Pick<Auth, 'doorkeeper' | 'keys' | 'tokens' | 'damping'>;
  readonly audit: AuditTrail;
  /** Without it the route for it says that it is not built. */
  readonly auditReader?: AuditReader;
  /** Which plugins are left alone just now; without it nothing is said of it. */
  readonly breakers?: Pick<Breakers, 'all'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the API closes; ends what goes on. */
  readonly life: AbortSignal;
}
