import type { LookupFunction } from 'node:net';
import type { Clock } from '@octo/plugin-api';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify, type JWTPayload } from 'jose';
import { egressRules } from '../egress/egress-rules.ts';
import { guardedRequest } from '../egress/guarded-request.ts';
import type { Reach } from '../manifest/manifest.ts';
import type { Identity } from './identity.ts';
import { knownScopes } from './scope.ts';

export interface IssuerSettings {
  /** What the claim `iss` must say. */
  readonly url: string;
  /** What `aud` must name. */
  readonly audience: string;
  /** Where its public keys are. */
  readonly jwks: string;
  /** The claim that holds the scopes: a text with spaces between, or a list. */
  readonly scopeClaim: string;
  /** For keys that are on no public address. */
  readonly allow?: Reach;
}

/** Only signatures that need the issuer's private key: never `none`, never a shared secret. */
const ALGORITHMS = ['EdDSA', 'ES256', 'ES384', 'PS256', 'RS256'];
const TIMEOUT_MS = 5_000;
const MOST_BYTES = 1024 * 1024;
const NOWHERE: Reach = { hosts: [], privateNetworks: false };
const HOW = 'let the issuer: {allow} beside its jwks';

/** Accepts tokens of an issuer that is not us, such as a company's single sign-on. */
export class OutsideIssuer {
  readonly #settings: IssuerSettings;
  readonly #clock: Clock;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  /** @param lookup resolves the name of where the keys are, in place of the system */
  constructor(settings: IssuerSettings, clock: Clock, lookup?: LookupFunction) {
    this.#settings = settings;
    this.#clock = clock;
    this.#keys = createRemoteJWKSet(new URL(settings.jwks), {
      timeoutDuration: TIMEOUT_MS,
      [customFetch]: keysUnder(settings, lookup),
    });
  }

  /** Whether the token says that it comes from there; nothing of it is believed yet. */
  claims(text: string): boolean {
    try {
      return decodeJwt(text).iss === this.#settings.url;
    } catch {
      return false;
    }
  }

  /** @throws JOSEError when it is not a token of this issuer for us that is good now */
  async proved(text: string): Promise<Identity> {
    const { url, audience, scopeClaim } = this.#settings;
    const { payload } = await jwtVerify(text, this.#keys, {
      algorithms: ALGORITHMS,
      issuer: url,
      audience,
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(this.#clock.now()),
    });
    return {
      kind: 'outside',
      id: payload.sub!,
      scopes: knownScopes(textsOf(payload, scopeClaim)),
      expiresAt: payload.exp! * 1000,
    };
  }
}

/** Asks under the rules of egress, and follows no redirect. */
function keysUnder({ jwks, allow = NOWHERE }: IssuerSettings, lookup?: LookupFunction) {
  const rules = egressRules([{ config: { jwks }, allow }], HOW);
  return async (url: string, { signal }: { readonly signal: AbortSignal }): Promise<Response> => {
    const request = { method: 'GET', headers: { accept: 'application/json' } } as const;
    const asked = { ...request, mostBytes: MOST_BYTES };
    const { status, body } = await guardedRequest(new URL(url), asked, rules, signal, lookup);
    return new Response(new Uint8Array(body), { status });
  };
}

function textsOf(payload: JWTPayload, claim: string): string[] {
  const value = payload[claim];
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
