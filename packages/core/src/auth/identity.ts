import type { AuditActor } from '../audit/audit-trail.ts';
import type { Scope } from './scope.ts';

/** Who makes a request, as far as we believe it. */
export interface Identity {
  /** `key` shows a key, `client` a token of ours, `outside` one of another issuer. */
  readonly kind: 'key' | 'client' | 'outside';
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** When it ends, for what goes on longer than a request. Milliseconds since the Unix epoch. */
  readonly expiresAt?: number;
}

/** How it stands in a run's record: `key:0123…`, `client:0123…`. */
export function byOf({ kind, id }: Identity): string {
  return `${kind === 'key' ? 'key' : 'client'}:${id}`;
}

export function actorOf(identity: Identity | undefined, address: string): AuditActor {
  if (identity === undefined) return { kind: 'anonymous', id: 'unknown', address };
  return { kind: identity.kind === 'key' ? 'key' : 'client', id: identity.id, address };
}
