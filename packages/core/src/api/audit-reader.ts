import type { AuditEntry } from '../audit/audit-trail.ts';

export interface AuditQuery {
  readonly action?: string;
  readonly actor?: string;
  readonly outcome?: AuditEntry['outcome'];
  /** Milliseconds since the Unix epoch. */
  readonly since?: number;
  readonly until?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

export interface AuditRecord extends AuditEntry {
  readonly sequence: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Reads the audit, newest first. Who keeps one fills this in. */
export interface AuditReader {
  read(
    query: AuditQuery,
  ): Promise<{ readonly records: readonly AuditRecord[]; readonly next?: string }>;
}
