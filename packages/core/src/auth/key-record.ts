import type { Scope } from './scope.ts';

/** An API key as the host remembers it. */
export interface KeyRecord {
  /** Public: it stands in logs and in the audit. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  /** To the minute. */
  readonly lastUsedAt?: number;
}

/** Whether the key opens anything at this time. */
export function isAlive({ expiresAt, revokedAt }: KeyRecord, nowMs: number): boolean {
  return revokedAt === undefined && (expiresAt === undefined || nowMs < expiresAt);
}
