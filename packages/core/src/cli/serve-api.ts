import type { Logger } from '@octo/plugin-api';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { auditFolder } from '../audit/open-audit.ts';
import type { Host } from '../host/host.ts';
import type { Reloading } from '../host/reloading.ts';
import type { Runs } from '../jobs/runs.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { HostSettings } from '../manifest/host-settings.ts';
import type { SecretSource } from '../manifest/secret-source.ts';
import type { SecretStores } from '../manifest/secret-stores.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Breakers } from '../policy/breakers.ts';
import type { Args } from './command.ts';
import type { Environment } from './environment.ts';
import { hostOptions } from './host-options.ts';
import { workplaceOf } from './workplace.ts';

export interface Served {
  readonly settings: HostSettings;
  readonly secrets: SecretSource;
  readonly stores: SecretStores;
  readonly metrics: Metrics | undefined;
  readonly host: Host;
  readonly runs: Runs;
  readonly ledger: Ledger;
  readonly audit: AuditTrail;
  readonly breakers: Breakers;
  readonly reloading: Pick<Reloading, 'reload'>;
  readonly logger: Logger;
}

/**
 * The API of a running host, if its settings want one; `undefined` otherwise.
 * @throws OctoError `OCTO_API_EXPOSED`, `OCTO_API_LISTEN`, `OCTO_STATE_*`, `OCTO_DATABASE_*`
 */
export async function serveApi(
  { settings: { api }, metrics, reloading, ...served }: Served,
  args: Args,
  environment: Environment,
): Promise<AsyncDisposable | undefined> {
  if (api === undefined || metrics === undefined) return undefined;
  const { env, clock, rooms } = environment;
  const { logger } = served;
  const { stateFolder } = workplaceOf(args, environment);
  const { openApi } = await import('../api/open-api.ts');
  const { AuditPages } = await import('../api/audit-pages.ts');
  const opened = await openApi({
    ...served,
    settings: api,
    metrics,
    auditReader: new AuditPages(auditFolder(stateFolder)),
    reload: () => reloading.reload(),
    judge: async (manifest) => {
      await using _judged = await rooms.createHost(
        manifest,
        await hostOptions(args, environment, logger),
      );
    },
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    env,
    clock,
  });
  logger.info({ url: opened.url }, 'the API listens');
  return opened;
}
