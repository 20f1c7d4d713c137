import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definePlugin } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { APP_DEFAULTS } from '../../src/api/build-app.ts';
import { openApi, type ApiOptions } from '../../src/api/open-api.ts';
import type { AuditEntry, AuditTrail } from '../../src/audit/audit-trail.ts';
import { openKeys } from '../../src/auth/open-auth.ts';
import type { KeyStore } from '../../src/auth/key-store.ts';
import { parseScopes } from '../../src/auth/scope.ts';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import { Reloading } from '../../src/host/reloading.ts';
import { openDatabase, openLedger, type OpenedLedger } from '../../src/ledger/open-ledger.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { NO_SECRETS } from '../../src/manifest/secret-references.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { provider, shelf, sink } from '../host/fake-plugins.ts';
import { copyClusterIntoState } from '../ledger/copied-cluster.ts';
import { MemoryRuns } from './memory-runs.ts';

const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { password: { type: 'string', secret: true }, place: { type: 'string' } },
} as const;

const PLUGINS = shelf({
  vendor: definePlugin({
    name: 'vendor',
    kind: 'provider',
    configSchema,
    create: () => provider(),
  }),
  lake: definePlugin({ name: 'lake', kind: 'sink', configSchema, create: () => sink() }),
  broken: definePlugin({
    name: 'broken',
    kind: 'provider',
    configSchema,
    create: () => provider({ start: () => Promise.reject(new Error('no luck')) }),
  }),
});

export const PASSWORD = 'synthetic-password-of-nobody';
export const MANIFEST = {
  plugins: {
    affirm: { use: 'vendor', config: { password: '${env:AFFIRM_PASSWORD}' } },
    bloomberg: { use: 'vendor', config: { password: 'a-written-out-password' } },
    lake: { use: 'lake' },
  },
  pipelines: {
    'affirm-us': { from: 'affirm', to: 'lake', key: '{name}' },
    'affirm-ca': { from: 'affirm', to: 'lake', key: '{name}', enabled: false },
    trades: { from: 'bloomberg', to: 'lake', key: '{name}', schedule: '45 3 * * *' },
  },
};

/** Remembers what was recorded; refuses when told to. */
export class MemoryAudit implements AuditTrail {
  readonly entries: AuditEntry[] = [];
  failure: Error | undefined;

  async record(entry: AuditEntry): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.entries.push(entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

export interface Site extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly clock: ManualClock;
  readonly runs: MemoryRuns;
  readonly audit: MemoryAudit;
  readonly ledger: OpenedLedger;
  readonly host: InProcessHost;
  readonly keys: KeyStore;
  readonly manifestFile: string;
  readonly stateFolder: string;
  readonly metrics: Metrics;
  readonly logger: RecordingLogger;
  /** A new key with these scopes; the header that shows it. */
  headers(...scopes: readonly string[]): Promise<Record<string, string>>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** A real API on a free port of loopback, over a real database; only runs and plugins are in memory. */
export async function openSite(
  settings: Partial<ApiOptions['settings']> = {},
  more: Partial<ApiOptions> = {},
): Promise<Site> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'octo-api-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const manifestFile = join(folder, 'plugins.json');
  const stateFolder = join(folder, 'state');
  await writeFile(manifestFile, JSON.stringify(MANIFEST, null, 2), { mode: 0o640 });
  await copyClusterIntoState(stateFolder);
  const env = { AFFIRM_PASSWORD: PASSWORD };
  const { secrets = NO_SECRETS } = more;
  const read = () => readManifest(manifestFile, { env, secrets, sealed: 'hold' });
  // The time of day is the database's; only it goes on when the test says so.
  const clock = new ManualClock(Date.now());
  const logger = new RecordingLogger();
  const options = { logger, clock, stateFolder, isolation: 'none', loadPlugin: PLUGINS } as const;
  const host = opening.use(await InProcessHost.create(await read(), options));
  const life = new AbortController();
  opening.defer(() => life.abort());
  await host.start(life.signal);
  const ledger = opening.use(await openLedger({ stateFolder, logger }));
  const { database } = opening.use(await openDatabase({ stateFolder, logger }));
  const { store } = await openKeys(database, stateFolder);
  const runs = new MemoryRuns(clock);
  const audit = new MemoryAudit();
  const metrics = new Metrics();
  const tell = () => undefined;
  const reloading = new Reloading({ host, read, secrets, clock, tell, signal: life.signal });
  const api = opening.use(
    await openApi({
      settings: { ...APP_DEFAULTS, address: '127.0.0.1', port: 0, insecure: false, ...settings },
      host,
      runs,
      ledger,
      audit,
      metrics,
      reload: () => reloading.reload(),
      judge: async (manifest) => {
        await using _judged = await InProcessHost.create(manifest, options);
      },
      stateFolder,
      env,
      clock,
      logger,
      ...more,
    }),
  );
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const { status, headers, ...answer } = await answered(await fetch(`${api.url}${path}`, init));
    return { status, headers, ...answer };
  };
  const opened = opening.move();
  return {
    url: api.url,
    port: Number(new URL(api.url).port),
    clock,
    runs,
    audit,
    ledger,
    host,
    keys: store,
    manifestFile,
    stateFolder,
    metrics,
    logger,
    headers: async (...scopes) => {
      const { text } = await store.create({ name: 'test', scopes: parseScopes(scopes) });
      return { authorization: `Bearer ${text}` };
    },
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        ...(body === undefined
          ? { headers }
          : {
              body: JSON.stringify(body),
              headers: { 'content-type': 'application/json', ...headers },
            }),
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function answered(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
}
