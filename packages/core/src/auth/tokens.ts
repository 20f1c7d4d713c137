import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '@octo/plugin-api';
import { calculateJwkThumbprint, exportJWK, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import type { Database } from '../ledger/postgres/database.ts';
import type { Secret } from '../observe/secret.ts';
import { sameHash } from './credential.ts';
import { knownScopes, scopeText, type Scope } from './scope.ts';

/** How long a token of ours is good for, in seconds. Revoking its key ends it before that. */
export const TOKEN_LIFE_S = 900;
const ISSUER = 'octo-host';
const AUDIENCE = 'octo-api';

export interface Token {
  readonly client: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

export interface TokensOptions {
  readonly database: Database;
  /** PKCS #8 in PEM, Ed25519: of this host alone. */
  readonly privateKey: Secret<Buffer>;
  readonly pepper: Secret<Buffer>;
  readonly clock: Clock;
}

/**
 * Short-lived tokens that this host signs (EdDSA), and that every host of the database accepts: each publishes its public
 * key there, sealed with the pepper that they share. Whoever can only write to the database makes no key of them.
 */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #private: KeyObject;
  readonly #kid: string;
  readonly #publicKeys = new Map<string, CryptoKey | Uint8Array>();

  private constructor(options: TokensOptions, privateKey: KeyObject, kid: string) {
    this.#options = options;
    this.#private = privateKey;
    this.#kid = kid;
  }

  /** Publishes this host's public key. @throws OctoError `OCTO_DATABASE_*` */
  static async open(options: TokensOptions): Promise<Tokens> {
    const privateKey = createPrivateKey(options.privateKey.reveal());
    const jwk = await exportJWK(createPublicKey(privateKey));
    const kid = await calculateJwkThumbprint(jwk);
    const text = JSON.stringify(jwk);
    await options.database.query(
      `insert into octo.token_key (kid, jwk, seal) values ($1, $2, $3)
       on conflict (kid) do update set jwk = excluded.jwk, seal = excluded.seal`,
      [kid, text, sealOf(kid, text, options.pepper)],
    );
    return new Tokens(options, privateKey, kid);
  }

  async issue(client: string, scopes: readonly Scope[]): Promise<string> {
    const nowS = Math.floor(this.#options.clock.now() / 1000);
    return await new SignJWT({ scope: scopes.map(scopeText).join(' ') })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.#kid, typ: 'at+jwt' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(client)
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + TOKEN_LIFE_S)
      .sign(this.#private);
  }

  /** @throws JOSEError when it is not a token of ours that is good now */
  async proved(text: string): Promise<Token> {
    const { payload } = await jwtVerify(text, async ({ kid }) => this.#publicKey(kid ?? ''), {
      algorithms: ['EdDSA'],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      requiredClaims: ['sub', 'exp', 'scope'],
      currentDate: new Date(this.#options.clock.now()),
    });
    return {
      client: payload.sub!,
      scopes: knownScopes(String(payload['scope']).split(' ')),
      expiresAt: payload.exp! * 1000,
    };
  }

  async #publicKey(kid: string): Promise<CryptoKey | Uint8Array> {
    const known = this.#publicKeys.get(kid);
    if (known !== undefined) return known;
    const { database, pepper } = this.#options;
    const [row] = await database.query<{ jwk: string; seal: Buffer }>(
      'select jwk, seal from octo.token_key where kid = $1',
      [kid.slice(0, 100)],
    );
    if (row === undefined || !sameHash(row.seal, sealOf(kid, row.jwk, pepper)))
      throw new Error('no host of this database signs with that key');
    const key = await importJWK(JSON.parse(row.jwk) as JWK, 'EdDSA');
    this.#publicKeys.set(kid, key);
    return key;
  }
}

function sealOf(kid: string, jwk: string, pepper: Secret<Buffer>): Buffer {
  return createHmac('sha256', pepper.reveal()).update(`token key\0${kid}\0${jwk}`).digest();
}
