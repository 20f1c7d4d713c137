import { actorNamed } from '../audit/actor.ts';
import type { AuditEntry, AuditTrail } from '../audit/audit-trail.ts';
import type { Environment } from './environment.ts';
import { operatorName } from './operator.ts';

/** What is done to secrets: an action, of which one, and facts that hold no value. */
export type SecretDeed = Pick<AuditEntry, 'action' | 'target' | 'details'>;

/**
 * Does something that the audit log has on disk before; what failed after that is written down, too.
 * @throws OctoError `OCTO_AUDIT_UNAVAILABLE`, and then nothing was done; what `work` throws
 */
export async function recordSecret<T>(
  audit: AuditTrail,
  environment: Environment,
  deeds: readonly SecretDeed[],
  work: () => Promise<T>,
): Promise<T> {
  const actor = actorNamed(operatorName(environment.env));
  for (const deed of deeds) await audit.record({ ...deed, actor, outcome: 'done' });
  try {
    return await work();
  } catch (error) {
    for (const deed of deeds) await audit.record({ ...deed, actor, outcome: 'failed' });
    throw error;
  }
}
