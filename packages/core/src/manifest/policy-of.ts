import type { BreakerPolicy, Policy, RatePolicy } from './manifest.ts';
import { periodMs } from './period.ts';

/** `policy.breaker` as the schema promises it. */
export interface CheckedBreaker {
  readonly enabled: boolean;
  readonly failures: number;
  readonly within: string;
  readonly open: string;
  readonly longest: string;
  readonly probe: string;
}

/** `policy.rate` as the schema promises it. */
export interface CheckedRate {
  readonly requests: number;
  readonly per: string;
  readonly burst: number;
}

type Checked = Omit<Policy, 'breaker' | 'rate'> & {
  readonly breaker: CheckedBreaker;
  readonly rate?: CheckedRate;
};

/** The policy of an instance, its periods in milliseconds. */
export function policyOf({ breaker, rate, ...plain }: Checked): Policy {
  return Object.freeze({
    ...plain,
    ...(breaker.enabled && { breaker: breakerOf(breaker) }),
    ...(rate !== undefined && { rate: rateOf(rate) }),
  });
}

function breakerOf({ failures, within, open, longest, probe }: CheckedBreaker): BreakerPolicy {
  return Object.freeze({
    failures,
    withinMs: milliseconds(within),
    openMs: milliseconds(open),
    longestMs: Math.max(milliseconds(open), milliseconds(longest)),
    probeMs: milliseconds(probe),
  });
}

function rateOf({ requests, per, burst }: CheckedRate): RatePolicy {
  return Object.freeze({ requests, perMs: milliseconds(per), burst });
}

/** The schema has looked at it. */
function milliseconds(period: string): number {
  return periodMs(period) ?? Number.NaN;
}
