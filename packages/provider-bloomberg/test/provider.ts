/** The provider as a host would make it: configuration with its defaults, a clock, a folder of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, ConfigSchema, Provider } from '@octo/plugin-api';
import {
  type BloombergRest,
  type BloombergSftp,
  RecordingLogger,
  syncToDisk,
} from '@octo/plugin-testing';
import { BloombergProvider } from '../src/bloomberg-provider.ts';
import { type BloombergConfig, configSchema } from '../src/config-schema.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    pause(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    }),
};

export interface ProviderBench extends AsyncDisposable {
  readonly provider: Provider;
  readonly logger: RecordingLogger;
}

/** What a manifest would say, before defaults. */
export type Written = { readonly [name: string]: unknown };

export function bloombergOverRest(
  server: BloombergRest,
  config: Written = {},
  clock: Clock = systemClock,
): Promise<ProviderBench> {
  const credential = JSON.stringify(server.credential);
  const access = { credential, endpoint: server.url, tokenEndpoint: server.oauthUrl };
  return bench({ ...access, requestsPerSecond: 20, burst: 100, ...config }, clock);
}

export function bloombergOverSftp(
  server: BloombergSftp,
  config: Written = {},
  clock: Clock = systemClock,
): Promise<ProviderBench> {
  const { host, hostKey, password, port, username } = server;
  const access = { transport: 'sftp', host, port, username, password, hostKeys: [hostKey] };
  return bench({ ...access, ...config }, clock);
}

/** The configuration with the defaults of its schema, at every depth, as the host hands it over. */
export function checked(config: Written): BloombergConfig {
  return withDefaults(configSchema, config) as BloombergConfig;
}

function withDefaults(schema: ConfigSchema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withDefaults(schema.items ?? {}, item));
  if (typeof value !== 'object' || value === null || schema.properties === undefined) return value;
  const filled: { [name: string]: unknown } = { ...value };
  for (const [name, part] of Object.entries(schema.properties)) {
    const given = filled[name] ?? part.default;
    if (given !== undefined) filled[name] = withDefaults(part, given);
  }
  return filled;
}

async function bench(config: Written, clock: Clock): Promise<ProviderBench> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'octo-bloomberg-'));
  const logger = new RecordingLogger();
  const provider = new BloombergProvider({
    config: checked(config),
    clock,
    logger,
    stateFolder,
    sync: syncToDisk,
  });
  return {
    provider,
    logger,
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}
