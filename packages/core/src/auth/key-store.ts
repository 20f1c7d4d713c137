import type { Database } from '../ledger/postgres/database.ts';
import type { Secret } from '../observe/secret.ts';
import { credentialHash, newCredential, type Credential } from './credential.ts';
import type { KeyRecord } from './key-record.ts';
import { knownScopes, scopeText, type Scope } from './scope.ts';

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since the Unix epoch; without it the key does not expire. */
  readonly expiresAt?: number;
}

export interface StoredKey {
  readonly key: KeyRecord;
  readonly hash: Buffer;
}

/** The API keys, in the ledger's database: every host that shares it knows the same ones. */
export class KeyStore {
  readonly #database: Database;
  readonly #pepper: Secret<Buffer>;
  readonly #random: (bytes: number) => Buffer;

  /** @param random gives as many unguessable bytes as it is asked for */
  constructor(database: Database, pepper: Secret<Buffer>, random: (bytes: number) => Buffer) {
    this.#database = database;
    this.#pepper = pepper;
    this.#random = random;
  }

  /** @returns the key's record, and its text, which is nowhere else and never shown again */
  async create(wanted: NewKey): Promise<{ readonly key: KeyRecord; readonly text: string }> {
    const credential = newCredential(this.#random);
    const [row] = await this.#database.query<KeyRow>(
      `insert into octo.api_key (id, name, hash, scopes, expires_at)
       values ($1, $2, $3, $4, to_timestamp($5::double precision / 1000))
       on conflict (id) do update set name = excluded.name where api_key.hash = excluded.hash
       returning ${COLUMNS}`,
      [
        credential.id,
        wanted.name,
        credentialHash(credential, this.#pepper),
        wanted.scopes.map(scopeText),
        wanted.expiresAt ?? null,
      ],
    );
    return { key: toKey(row!), text: credential.text };
  }

  /** Newest first. */
  async list(): Promise<readonly KeyRecord[]> {
    const rows = await this.#database.query<KeyRow>(
      `select ${COLUMNS} from octo.api_key order by created_at desc, id`,
    );
    return rows.map(toKey);
  }

  /** With its hash, whatever became of it. */
  async find(id: string): Promise<StoredKey | undefined> {
    const [row] = await this.#database.query<KeyRow>(
      `select ${COLUMNS} from octo.api_key where id = $1`,
      [id],
    );
    return row === undefined ? undefined : { key: toKey(row), hash: row.hash };
  }

  /** From now on it opens nothing. Revoking again changes nothing. `undefined` when there is no such key. */
  async revoke(id: string): Promise<KeyRecord | undefined> {
    const [row] = await this.#database.query<KeyRow>(
      `update octo.api_key set revoked_at = coalesce(revoked_at, clock_timestamp()) where id = $1
       returning ${COLUMNS}`,
      [id],
    );
    return row === undefined ? undefined : toKey(row);
  }

  /** Notes that the key was used, unless that was noted within the last minute. */
  async touch(id: string): Promise<void> {
    await this.#database.query(
      `update octo.api_key set last_used_at = clock_timestamp() where id = $1
       and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')`,
      [id],
    );
  }

  hashOf(credential: Credential): Buffer {
    return credentialHash(credential, this.#pepper);
  }
}

const COLUMNS = 'id, name, hash, scopes, created_at, expires_at, revoked_at, last_used_at';

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly hash: Buffer;
  readonly scopes: readonly string[];
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}

function toKey(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    name: row.name,
    // A scope that a newer Octo wrote opens nothing here.
    scopes: knownScopes(row.scopes),
    createdAt: row.created_at.getTime(),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at.getTime() }),
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at.getTime() }),
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at.getTime() }),
  };
}
