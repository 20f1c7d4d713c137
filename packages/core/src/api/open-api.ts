import type { AddressInfo } from 'node:net';
import type { Clock, Logger } from '@octo/plugin-api';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { IssuerSettings } from '../auth/outside-issuer.ts';
import { openAuth } from '../auth/open-auth.ts';
import type { Host } from '../host/host.ts';
import { RecentHealth } from '../host/recent-health.ts';
import type { Reload } from '../host/reloading.ts';
import type { Runs } from '../jobs/runs.ts';
import { FileSearch } from '../ledger/file-search.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openDatabase } from '../ledger/open-ledger.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { SecretSource } from '../manifest/secret-source.ts';
import type { SecretStores } from '../manifest/secret-stores.ts';
import type { Metrics } from '../observe/metrics.ts';
import { bindError, refuseExposed, type Binding } from './bind.ts';
import { buildApp, type AppSettings } from './build-app.ts';
import { ManifestDoor } from './manifest-door.ts';
import type { ApiParts } from './parts.ts';

export interface ApiOptions extends Pick<ApiParts, 'auditReader' | 'breakers'> {
  readonly settings: Binding & AppSettings & { readonly issuer?: IssuerSettings };
  readonly host: Host;
  readonly runs: Runs;
  readonly ledger: Pick<Ledger, 'find' | 'history' | 'release'>;
  readonly audit: AuditTrail;
  readonly metrics: Metrics;
  /** As `Reloading.reload`. */
  readonly reload: () => Promise<Reload>;
  /** Builds every plugin of a manifest and throws it away. @throws OctoError with all that is wrong */
  readonly judge: (manifest: Manifest) => Promise<void>;
  /** Absolute. */
  readonly stateFolder: string;
  readonly databaseUrl?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** See `ManifestDoorOptions`. */
  readonly secrets?: SecretSource;
  readonly stores?: SecretStores;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Api extends AsyncDisposable {
  /** Where it listens: `http://127.0.0.1:8470`. */
  readonly url: string;
}

/**
 * The whole API: keys and tokens, routes, the port. Disposing it ends streams and requests at once.
 * @throws OctoError `OCTO_API_EXPOSED`, `OCTO_API_LISTEN`; `OCTO_STATE_*`, `OCTO_DATABASE_*`
 */
export async function openApi(options: ApiOptions): Promise<Api> {
  const { settings, host, clock, logger, stateFolder, ...rest } = options;
  refuseExposed(settings);
  await using opening = new AsyncDisposableStack();
  const { database } = opening.use(
    await openDatabase({ stateFolder, databaseUrl: options.databaseUrl, logger }),
  );
  const life = new AbortController();
  const { issuer } = settings;
  const keep = {
    database,
    stateFolder,
    clock,
    logger,
    ...(issuer === undefined ? {} : { issuer }),
  };
  const app = await buildApp(
    {
      ...rest,
      host,
      clock,
      logger,
      files: new FileSearch(database),
      manifests: new ManifestDoor(options),
      health: new RecentHealth(() => host.instances, { clock }, life.signal),
      auth: await openAuth(keep),
      life: life.signal,
    },
    settings,
  );
  opening.defer(() => app.close());
  opening.defer(() => life.abort(new Error('the API is closed')));
  const { address, port } = settings;
  await app.listen({ host: address, port }).catch((error: unknown) => {
    throw bindError(settings, error);
  });
  const opened = opening.move();
  return {
    url: urlOf(app.server.address() as AddressInfo, settings),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function urlOf({ address, port, family }: AddressInfo, { tls }: AppSettings): string {
  const host = family === 'IPv6' ? `[${address}]` : address;
  return `${tls === undefined ? 'http' : 'https'}://${host}:${port}`;
}
