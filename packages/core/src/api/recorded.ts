import type { FastifyRequest } from 'fastify';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { actorOf } from '../auth/identity.ts';

export interface Deed {
  readonly action: string;
  readonly target: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Records what is about to be done, does it, and records it again when it failed. Nothing is done that cannot be recorded.
 * @throws OctoError `OCTO_AUDIT_UNAVAILABLE`; whatever the work throws
 */
export async function recorded<T>(
  audit: AuditTrail,
  request: FastifyRequest,
  deed: Deed,
  work: () => Promise<T>,
): Promise<T> {
  const entry = { ...deed, actor: actorOf(request.identity, request.ip), trace: request.id };
  await audit.record({ ...entry, outcome: 'done' });
  try {
    return await work();
  } catch (error) {
    await audit.record({ ...entry, outcome: 'failed' });
    throw error;
  }
}
