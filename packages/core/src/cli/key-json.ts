import type { KeyRecord } from '../auth/key-record.ts';
import { scopeText } from '../auth/scope.ts';

/** A key as `--json` shows it. Never its text. */
export function keyJson(key: KeyRecord): Record<string, unknown> {
  const { id, name, scopes, createdAt, expiresAt, revokedAt, lastUsedAt } = key;
  return {
    id,
    name,
    scopes: scopes.map(scopeText),
    createdAt: timeText(createdAt),
    expiresAt: timeText(expiresAt),
    revokedAt: timeText(revokedAt),
    lastUsedAt: timeText(lastUsedAt),
  };
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
