import type { Damping } from './damping.ts';
import type { Identity } from './identity.ts';
import type { KnownKeys } from './known-keys.ts';
import type { OutsideIssuer } from './outside-issuer.ts';
import { withinScopes } from './scope.ts';
import type { Tokens } from './tokens.ts';

export interface DoorkeeperParts {
  readonly keys: KnownKeys;
  readonly tokens: Tokens;
  readonly issuer?: OutsideIssuer;
  readonly damping: Damping;
}

/** `wait` says in milliseconds when to come back; it is the answer to whoever guesses, right or wrong. */
export type Answer =
  | { readonly answer: 'known'; readonly identity: Identity }
  | { readonly answer: 'unknown' }
  | { readonly answer: 'wait'; readonly ms: number };

/** Tells from what a request shows who makes it. What was wrong with a credential is told to nobody. */
export class Doorkeeper {
  readonly #parts: DoorkeeperParts;

  constructor(parts: DoorkeeperParts) {
    this.#parts = parts;
  }

  /** @param text what follows `Bearer`: a key, or a token */
  async admit(text: string | undefined, address: string): Promise<Answer> {
    const { damping, keys } = this.#parts;
    const ms = damping.waitMs(address);
    if (ms > 0 && !(text !== undefined && keys.isRecent(text))) return { answer: 'wait', ms };
    const identity = text === undefined ? undefined : await this.#identify(text);
    if (identity !== undefined) return { answer: 'known', identity };
    damping.failed(address);
    return { answer: 'unknown' };
  }

  async #identify(text: string): Promise<Identity | undefined> {
    const { keys, issuer } = this.#parts;
    if (!text.includes('.')) {
      const key = await keys.proved(text);
      if (key === undefined) return undefined;
      const { id, scopes, expiresAt } = key;
      return { kind: 'key', id, scopes, ...(expiresAt === undefined ? {} : { expiresAt }) };
    }
    try {
      return issuer?.claims(text) === true ? await issuer.proved(text) : await this.#client(text);
    } catch (error) {
      if (isTrouble(error)) throw error;
      return undefined;
    }
  }

  /** A token dies with the key that it was given to, and never opens more than that does now. */
  async #client(text: string): Promise<Identity | undefined> {
    const { keys, tokens } = this.#parts;
    const { client, scopes, expiresAt } = await tokens.proved(text);
    const key = await keys.living(client);
    if (key === undefined) return undefined;
    return { kind: 'client', id: client, scopes: withinScopes(scopes, key.scopes), expiresAt };
  }
}

const ISSUER_TROUBLE = ['ERR_JWKS_TIMEOUT', 'EGRESS_REFUSED'];

/** The database is in the way, or the issuer does not answer or may not be asked: not the caller's fault. */
function isTrouble(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && (code.startsWith('OCTO_') || ISSUER_TROUBLE.includes(code));
}
