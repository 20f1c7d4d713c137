/**
 * A circuit breaker as values: what is known of one vendor or sink, and what each event makes of it. No clock and no I/O:
 * `now` is milliseconds of whichever clock all of its users share, and whoever keeps the state makes each move atomic.
 *
 * `by` names one run: it makes a move safe to repeat, and tells the one probe from those that began before.
 */
export type Breaker = Closed | Open | HalfOpen;

/** Asked as usual. */
export interface Closed {
  readonly state: 'closed';
  /** Since the last success, at most as many as open it. */
  readonly failures: readonly { readonly at: number; readonly by: string }[];
}

/** Left alone until then; afterwards the next one to ask becomes the probe. */
export interface Open {
  readonly state: 'open';
  readonly until: number;
  /** How often it was opened since the last success: each time it stays open for longer. */
  readonly times: number;
  /** The last failure, in words that are safe to show. */
  readonly why: string;
}

/** One run tries. The place is free again when it says nothing until `probe.until`. */
export interface HalfOpen {
  readonly state: 'half-open';
  readonly probe: { readonly by: string; readonly until: number };
  readonly times: number;
  readonly why: string;
}

export interface BreakerRules {
  /** So many failures within `withinMs`, without a success between them, open it. */
  readonly failures: number;
  readonly withinMs: number;
  /** How long it is open the first time; twice as long each time after, up to `longestMs`. */
  readonly openMs: number;
  readonly longestMs: number;
}

export interface BreakerFailure {
  readonly by: string;
  readonly why: string;
  /** How long the other side asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

/** `probe`: go, and tell how it went. `wait`: not before `until`. */
export type BreakerAnswer =
  | { readonly go: 'freely' }
  | { readonly go: 'probe' }
  | { readonly go: 'wait'; readonly until: number; readonly why: string };

/** Of one that nobody has said anything about. */
export const CLOSED: Closed = { state: 'closed', failures: [] };

/** A probe that says nothing for so long has died. Milliseconds. */
export const PROBE_LEASE_MS = 30_000;
/** Those who wait for a probe's word look again at least so often. Milliseconds. */
const LOOK_AGAIN_MS = 15_000;
/** Shorter wishes are heeded within the run. Milliseconds. */
const LONG_WISH_MS = 30_000;
/** Nobody may ask to be left alone for longer. Milliseconds. */
const LONGEST_WISH_MS = 86_400_000;

/** Whether the run `by` may go; its probe, if it is one, begins or goes on. */
export function ask(before: Breaker, now: number, by: string): Move<BreakerAnswer> {
  if (before.state === 'closed') return { next: before, answer: { go: 'freely' } };
  const { times, why } = before;
  if (before.state === 'open' && now < before.until)
    return { next: before, answer: { go: 'wait', until: before.until, why } };
  if (before.state === 'half-open' && before.probe.by !== by && now < before.probe.until) {
    const until = Math.min(before.probe.until, now + LOOK_AGAIN_MS);
    return { next: before, answer: { go: 'wait', until, why } };
  }
  const probe = { by, until: now + PROBE_LEASE_MS };
  return { next: { state: 'half-open', probe, times, why }, answer: { go: 'probe' } };
}

/** The probe says that it lives. Anybody else's word changes nothing. */
export function extend(before: Breaker, now: number, by: string): Breaker {
  if (!isProbe(before, by)) return before;
  return { ...before, probe: { by, until: now + PROBE_LEASE_MS } };
}

/** The probe ends and has learnt nothing: the next one to ask tries. */
export function giveBack(before: Breaker, now: number, by: string): Breaker {
  if (!isProbe(before, by)) return before;
  return { state: 'open', until: now, times: before.times, why: before.why };
}

/** The other side answered, whoever found out. */
export function succeed(before: Breaker): Breaker {
  return before.state === 'closed' && before.failures.length === 0 ? before : CLOSED;
}

/**
 * The other side could not be reached. In a closed one it counts; of a half-open one only the probe's word does; an open one
 * stays as it is, or open for as long as was asked for. 0 ≤ `random` < 1, for the jitter.
 */
export function fail(
  before: Breaker,
  now: number,
  failure: BreakerFailure,
  rules: BreakerRules,
  random: number,
): Breaker {
  const { by, why } = failure;
  const wish = Math.min(failure.retryAfterMs ?? 0, LONGEST_WISH_MS);
  const opened = (times: number): Open => {
    const until = now + Math.max(wish, openMs(rules, times) * (0.75 + random / 2));
    return { state: 'open', until, times, why };
  };
  if (before.state === 'open')
    return wish > 0 && now + wish > before.until ? { ...before, until: now + wish, why } : before;
  if (before.state === 'half-open')
    return before.probe.by === by ? opened(before.times + 1) : before;
  const others = before.failures.filter((one) => one.by !== by && now - one.at < rules.withinMs);
  const failures = [...others, { at: now, by }];
  const isEnough = failures.length >= rules.failures || wish > LONG_WISH_MS;
  return isEnough ? opened(1) : { state: 'closed', failures };
}

interface Move<T> {
  readonly next: Breaker;
  readonly answer: T;
}

function isProbe(breaker: Breaker, by: string): breaker is HalfOpen {
  return breaker.state === 'half-open' && breaker.probe.by === by;
}

function openMs({ openMs: first, longestMs }: BreakerRules, times: number): number {
  return Math.min(first * 2 ** (times - 1), longestMs);
}
