import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Logger } from '@octo/plugin-api';
import type { Database } from '../ledger/postgres/database.ts';
import { Secret } from '../observe/secret.ts';
import { Damping } from './damping.ts';
import { Doorkeeper } from './doorkeeper.ts';
import { KeyStore } from './key-store.ts';
import { KnownKeys } from './known-keys.ts';
import { type IssuerSettings, OutsideIssuer } from './outside-issuer.ts';
import { privateFile } from './private-file.ts';
import { Tokens } from './tokens.ts';

export interface AuthOptions {
  /** Migrated. */
  readonly database: Database;
  /** Absolute. Below it lie the pepper, which hosts of one database share, and this host's key for tokens. */
  readonly stateFolder: string;
  readonly issuer?: IssuerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Auth {
  readonly doorkeeper: Doorkeeper;
  readonly keys: KnownKeys;
  readonly tokens: Tokens;
  readonly damping: Damping;
}

const PEPPER = 'api/pepper';
const TOKEN_KEY = 'api/token-key.pem';

/** Everything that tells who may come in. @throws OctoError `OCTO_STATE_*`, `OCTO_DATABASE_*` */
export async function openAuth(options: AuthOptions): Promise<Auth> {
  const { database, stateFolder, issuer, clock, logger } = options;
  const { store, pepper } = await openKeys(database, stateFolder);
  const keyFile = join(stateFolder, TOKEN_KEY);
  const privateKey = new Secret(await privateFile(keyFile, newPrivateKey));
  const tokens = await Tokens.open({ database, privateKey, pepper, clock });
  const keys = new KnownKeys({ store, clock, logger });
  const damping = new Damping(clock);
  const outside = issuer === undefined ? {} : { issuer: new OutsideIssuer(issuer, clock) };
  return {
    doorkeeper: new Doorkeeper({ keys, tokens, damping, ...outside }),
    keys,
    tokens,
    damping,
  };
}

/** The keys alone, for commands. @throws OctoError `OCTO_STATE_*` */
export async function openKeys(
  database: Database,
  stateFolder: string,
): Promise<{ readonly store: KeyStore; readonly pepper: Secret<Buffer> }> {
  const file = join(stateFolder, PEPPER);
  const pepper = new Secret(await privateFile(file, () => randomBytes(32)));
  return { store: new KeyStore(database, pepper, randomBytes), pepper };
}

function newPrivateKey(): Buffer {
  const { privateKey } = generateKeyPairSync('ed25519');
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}
