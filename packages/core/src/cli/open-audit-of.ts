import type { Logger } from '@octo/plugin-api';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Args } from './command.ts';
import type { Environment } from './environment.ts';
import { quietLogger } from './logger-for.ts';
import { workplaceOf } from './workplace.ts';

/** The audit log of the workplace. @throws as `openAudit` */
export async function openAuditOf(
  args: Args,
  environment: Environment,
  logger?: Logger,
): Promise<AuditTrail> {
  const { rooms, env, clock, redactor } = environment;
  return await rooms.openAudit({
    stateFolder: workplaceOf(args, environment).stateFolder,
    clock,
    logger: logger ?? (await quietLogger(args, environment)),
    redact: redactor.redact,
    checkpoint: env['OCTO_AUDIT_CHECKPOINT'],
  });
}
