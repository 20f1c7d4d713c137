/**
 * Who did what, when, and whether it was allowed: a record that nobody can change unseen. Not the application's log.
 */
export interface AuditTrail extends AsyncDisposable {
  /**
   * Resolves when the record is on disk. What is protected (secrets, configuration, keys, deletions) is recorded before it is
   * done, and is not done when this rejects.
   * @throws OctoError `OCTO_AUDIT_UNAVAILABLE` when it could not be written
   */
  record(entry: AuditEntry): Promise<void>;
}

export interface AuditEntry {
  /** `<what>.<did>`, such as `run.request`, `secret.set`, `manifest.apply`, `login`. */
  readonly action: string;
  readonly actor: AuditActor;
  /** Which thing: a pipeline, a plugin instance, a secret's name, a key's id. Never a value. */
  readonly target?: string;
  readonly outcome: 'done' | 'denied' | 'failed';
  /** Of an HTTP request or a run, to find it in the logs. */
  readonly trace?: string;
  /** Plain facts; redacted before they are written. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export interface AuditActor {
  /** `operator` is somebody with a shell. */
  readonly kind: 'operator' | 'key' | 'client' | 'host' | 'plugin' | 'anonymous';
  readonly id: string;
  /** Where a request came from. */
  readonly address?: string;
}

/** For tests and for hosts that keep no audit: forgets everything. */
export const noAudit: AuditTrail = {
  record: async () => {},
  [Symbol.asyncDispose]: async () => {},
};
