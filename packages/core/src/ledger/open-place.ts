import type { Clock, Logger } from '@octo/plugin-api';
import { Client } from 'pg';
import { OctoError } from '../errors/octo-error.ts';
import { EmbeddedPostgres } from '../state/embedded-postgres.ts';
import { prepareStateFolder } from '../state/state-folder.ts';
import type { DatabasePlace } from './postgres/database.ts';

export interface OpenPlaceOptions {
  /** Created when it is missing. */
  readonly stateFolder: string;
  /** A PostgreSQL of the user's own instead of the embedded one; empty counts as not given. */
  readonly databaseUrl?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The PostgreSQL of a state folder: that of `databaseUrl`, or the embedded one, which runs until the place is disposed.
 * @throws OctoError OCTO_STATE_*, OCTO_DATABASE_*
 */
export async function openPlace(
  options: OpenPlaceOptions,
): Promise<DatabasePlace & AsyncDisposable> {
  const { databaseUrl, clock, logger } = options;
  const state = await prepareStateFolder(options.stateFolder);
  if (databaseUrl !== undefined && databaseUrl !== '') return placeOfUrl(databaseUrl);
  return await EmbeddedPostgres.open({ folder: state.postgres, clock, logger });
}

function placeOfUrl(url: string): DatabasePlace & AsyncDisposable {
  const { host, database } = clientOf(url);
  return {
    config: { connectionString: url },
    description: `the PostgreSQL of DATABASE_URL (${host}, database ${database ?? ''})`,
    firstPatienceMs: 5_000,
    revive: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function clientOf(url: string): Client {
  try {
    if (/^postgres(ql)?:\/\//.test(url)) return new Client({ connectionString: url });
  } catch {
    // Not as the cause: it would quote the URL with its password.
  }
  throw new OctoError(
    'OCTO_DATABASE_URL',
    'DATABASE_URL is not right; write it as postgres://user:password@host:5432/database',
  );
}
