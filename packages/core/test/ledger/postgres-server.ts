import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingLogger } from '@octo/plugin-testing';
import { systemClock } from '../../src/host/system-clock.ts';
import { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { copyCluster } from './copied-cluster.ts';

/** A real PostgreSQL for one test file. */
export async function postgresServer(): Promise<EmbeddedPostgres & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-test-'));
  await copyCluster(folder);
  const server = await EmbeddedPostgres.open({
    folder,
    clock: systemClock,
    logger: new RecordingLogger(),
  });
  const stop = server[Symbol.asyncDispose].bind(server);
  return Object.defineProperty(server, Symbol.asyncDispose, {
    value: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** The server as `DATABASE_URL` names it, with its password. */
export async function urlOf({ config }: EmbeddedPostgres): Promise<string> {
  const { user, password, host, port, database } = config;
  const secret = typeof password === 'function' ? await password() : password;
  const login = `${user}:${encodeURIComponent(String(secret))}`;
  return `postgres://${login}@localhost:${port}/${database}?host=${encodeURIComponent(host!)}&sslmode=disable`;
}
