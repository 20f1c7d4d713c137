import type { ClientBase } from 'pg';
import { OctoError } from '../../errors/octo-error.ts';
import { migrations, type Migration } from './migrations.ts';

/** "octo" in ASCII and a number: two hosts that start at the same moment migrate one after the other. */
const MIGRATION_LOCK = '7310017291338742';

/**
 * Brings the schema `octo` to the version of this code: each missing migration in a transaction of its own.
 * @throws OctoError OCTO_LEDGER_NEWER when the database was migrated by a newer Octo
 */
export async function migrate(
  client: ClientBase,
  wanted: readonly Migration[] = migrations,
): Promise<void> {
  if (isComplete(await appliedVersion(client), wanted)) return;
  for (const migration of wanted) await applyOnce(client, migration);
}

function isComplete(applied: number, wanted: readonly Migration[]): boolean {
  const latest = wanted.at(-1)?.version ?? 0;
  if (applied > latest)
    throw new OctoError(
      'OCTO_LEDGER_NEWER',
      `the ledger has schema version ${applied}, and this Octo knows ${latest}: a newer Octo has used it; update this one`,
    );
  return applied === latest;
}

async function appliedVersion(client: ClientBase): Promise<number> {
  // Not to_regclass: a session that waited for the lock meanwhile may remember that there was no such table.
  const table = await client.query<{ there: boolean }>(
    `select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'octo' and c.relname = 'migration') as there`,
  );
  if (!table.rows[0]!.there) return 0;
  const { rows } = await client.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from octo.migration',
  );
  return rows[0]!.version;
}

async function applyOnce(client: ClientBase, migration: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    // Somebody else may have migrated while we waited for the lock.
    if ((await appliedVersion(client)) < migration.version) await apply(client, migration);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function apply(client: ClientBase, migration: Migration): Promise<void> {
  if (migration.version === 1)
    await client.query(`
      create schema if not exists octo;
      create table octo.migration (version int primary key, name text not null,
        at timestamptz not null default clock_timestamp())`);
  await client.query(migration.sql);
  await client.query('insert into octo.migration (version, name) values ($1, $2)', [
    migration.version,
    migration.name,
  ]);
}
