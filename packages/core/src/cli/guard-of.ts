import type { Logger } from '@octo/plugin-api';
import { actorNamed } from '../audit/actor.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Metrics } from '../observe/metrics.ts';
import { describeError } from '../observe/describe-error.ts';
import type { BreakerChange } from '../policy/breaker-side.ts';
import type { Breakers } from '../policy/breakers.ts';
import { Guard } from '../policy/guard.ts';
import type { Environment } from './environment.ts';

export interface GuardParts {
  readonly breakers: Breakers;
  readonly audit: AuditTrail;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  /** Whose runs they are, for the audit log. */
  readonly actor: string;
  /** Whoever waits at a keyboard hears of the failure itself. */
  readonly byHand?: boolean;
}

/** The guard of a command's runs. What it changes is logged, counted, and written into the audit log. */
export function guardOf(parts: GuardParts, environment: Environment): Guard {
  const { clock, random, redactor } = environment;
  const { breakers, logger } = parts;
  const onChange = (change: BreakerChange): void => tell(change, parts);
  return new Guard({ breakers, clock, logger, random, redact: redactor.redact, onChange });
}

const WORDS = {
  open: 'a plugin could not be reached and is left alone',
  'half-open': 'a plugin was left alone; one run tries it',
  closed: 'a plugin can be reached again',
} as const;

function tell({ instance, state, why, until }: BreakerChange, parts: GuardParts): void {
  const { audit, logger, metrics, actor, byHand = false } = parts;
  const details = {
    ...(why !== undefined && { reason: why }),
    ...(until !== undefined && { until: new Date(until).toISOString() }),
  };
  logger[state === 'open' && !byHand ? 'warn' : 'info']({ instance, ...details }, WORDS[state]);
  metrics?.breaker(instance, state);
  const action = `breaker.${state}`;
  audit
    .record({ action, actor: actorNamed(actor), target: instance, outcome: 'done', details })
    .catch((error: unknown) =>
      logger.error({ instance, reason: describeError(error) }, 'a change was not recorded'),
    );
}
