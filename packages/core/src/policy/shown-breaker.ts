import type { Breaker } from '../resilience/breaker.ts';

/** A breaker as it is shown to people and programs. */
export interface ShownBreaker {
  readonly state: Breaker['state'];
  /** Of one that is open; ISO 8601, UTC. */
  readonly until?: string;
  /** The last failure of one that is not closed. */
  readonly reason?: string;
}

/** @param breaker `undefined` for one that nothing is known of: it is closed */
export function shownBreaker(breaker: Breaker | undefined): ShownBreaker {
  if (breaker === undefined || breaker.state === 'closed') return { state: 'closed' };
  const { state, why } = breaker;
  if (state === 'half-open') return { state, reason: why };
  return { state, until: new Date(breaker.until).toISOString(), reason: why };
}
