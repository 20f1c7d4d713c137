import { expect, test } from 'vitest';
import {
  ask,
  type Breaker,
  type BreakerRules,
  CLOSED,
  extend,
  fail,
  giveBack,
  PROBE_LEASE_MS,
  succeed,
} from '../../src/resilience/breaker.ts';
import { seeded } from './seeded.ts';

const minute = 60_000;
const rules: BreakerRules = {
  failures: 3,
  withinMs: 60 * minute,
  openMs: minute,
  longestMs: 8 * minute,
};
const middle = 0.5;

/** Failures of so many runs, a second apart. */
function failed(count: number, before: Breaker = CLOSED, at = 0): Breaker {
  let state = before;
  for (let run = 0; run < count; run++)
    state = fail(
      state,
      at + run * 1000,
      { by: `run ${at} ${run}`, why: 'no route' },
      rules,
      middle,
    );
  return state;
}

test('so many runs that cannot connect open it, with the reason, for the first pause', () => {
  expect(failed(2)).toMatchObject({ state: 'closed' });
  expect(failed(3)).toEqual({ state: 'open', times: 1, why: 'no route', until: 2000 + minute });
});

test('a success between them, or too long a time, begins the count anew', () => {
  expect(failed(2, succeed(failed(2)), 5000)).toMatchObject({ state: 'closed' });
  expect(failed(2, failed(2), 61 * minute)).toMatchObject({ state: 'closed' });
  expect(failed(1, failed(2), 5000)).toMatchObject({ state: 'open' });
});

test('one run counts once, however often its failure is told', () => {
  const once = failed(2);
  expect(fail(once, 1500, { by: 'run 0 1', why: '' }, rules, middle)).toMatchObject({
    state: 'closed',
    failures: [{ by: 'run 0 0' }, { by: 'run 0 1' }],
  });
});

test('nobody goes while it is open; then one does, and the others wait for its word', () => {
  const open = failed(3);
  const until = 2000 + minute;
  expect(ask(open, until - 1, 'a')).toEqual({
    next: open,
    answer: { go: 'wait', until, why: 'no route' },
  });
  const { next, answer } = ask(open, until, 'a');
  expect(answer).toEqual({ go: 'probe' });
  expect(ask(next, until + 1, 'b').answer).toMatchObject({ go: 'wait', until: until + 15_001 });
  expect(ask(next, until + 1, 'a').answer).toEqual({ go: 'probe' });
});

test('a probe that fails opens it for twice as long, up to the longest; a success closes it for good', () => {
  let state = failed(3);
  const pauses: number[] = [];
  for (let count = 0; count < 6 && state.state === 'open'; count++) {
    const now = state.until;
    state = fail(ask(state, now, 'a').next, now, { by: 'a', why: 'still' }, rules, middle);
    if (state.state === 'open') pauses.push((state.until - now) / minute);
  }
  expect(pauses).toEqual([2, 4, 8, 8, 8, 8]);
  expect(succeed(state)).toEqual(CLOSED);
});

test('the pause has a jitter of a quarter', () => {
  const pause = (random: number) => {
    const state = fail(failed(2), 0, { by: 'last', why: '' }, rules, random);
    return state.state === 'open' ? state.until : 0;
  };
  expect(pause(0)).toBe(0.75 * minute);
  expect(pause(1 - Number.EPSILON)).toBeCloseTo(1.25 * minute, 3);
});

test('a host that dies with the probe loses it when the lease is over; one that lives keeps it', () => {
  const open = failed(3);
  const began = 10 * minute;
  const probing = ask(open, began, 'dead').next;
  expect(ask(probing, began + PROBE_LEASE_MS - 1, 'b').answer.go).toBe('wait');
  const taken = ask(probing, began + PROBE_LEASE_MS, 'b');
  expect(taken.answer.go).toBe('probe');
  // What wakes up after its lease changes nothing with a failure.
  expect(fail(taken.next, began + minute, { by: 'dead', why: '' }, rules, middle)).toBe(taken.next);
  expect(giveBack(taken.next, began + minute, 'dead')).toBe(taken.next);
  const living = extend(probing, began + 20_000, 'dead');
  expect(ask(living, began + PROBE_LEASE_MS, 'b').answer.go).toBe('wait');
});

test('a probe that has learnt nothing leaves its place to the next one at once', () => {
  const probing = ask(failed(3), 10 * minute, 'a').next;
  const back = giveBack(probing, 10 * minute + 5, 'a');
  expect(ask(back, 10 * minute + 5, 'b').answer).toEqual({ go: 'probe' });
});

test('who asks for an hour gets it after one failure, but never more than a day', () => {
  const wish = (retryAfterMs: number) =>
    fail(CLOSED, 0, { by: 'a', why: '429', retryAfterMs }, rules, middle);
  expect(wish(60 * minute)).toMatchObject({ state: 'open', until: 60 * minute });
  expect(wish(10_000)).toMatchObject({ state: 'closed' });
  expect(wish(Number.MAX_SAFE_INTEGER)).toMatchObject({ until: 24 * 60 * minute });
  const open = failed(3);
  const longer = fail(open, 3000, { by: 'b', why: '', retryAfterMs: 9 * minute }, rules, middle);
  expect(longer).toMatchObject({ until: 3000 + 9 * minute, times: 1 });
});

/** What a breaker promises, remembered in the plainest way: the history instead of a state. */
class Model {
  state: Breaker = CLOSED;
  now = 0;
  readonly #random: () => number;
  #probe: { by: string; until: number } | undefined;
  #failures: { at: number; by: string }[] = [];
  #openUntil = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Each does something and says whether the promise was kept. */
  readonly moves: Readonly<Record<string, (by: string) => boolean>> = {
    ask: (by) => {
      const wasClosed = this.state.state === 'closed';
      const { next, answer } = ask(this.state, this.now, by);
      this.state = next;
      if (answer.go === 'freely') return wasClosed;
      if (answer.go === 'wait') return !wasClosed && answer.until > this.now;
      const isFree = this.#probe === undefined || this.now >= this.#probe.until;
      const mayTry = this.now >= this.#openUntil && (isFree || this.#probe?.by === by);
      this.#probe = { by, until: this.now + PROBE_LEASE_MS };
      return !wasClosed && mayTry;
    },
    extend: (by) => {
      this.state = extend(this.state, this.now, by);
      if (this.#probe?.by === by) this.#probe.until = this.now + PROBE_LEASE_MS;
      return true;
    },
    giveBack: (by) => {
      this.state = giveBack(this.state, this.now, by);
      if (this.#probe?.by === by) this.#probe = undefined;
      return true;
    },
    succeed: () => {
      this.state = succeed(this.state);
      this.#probe = undefined;
      this.#failures = [];
      this.#openUntil = 0;
      return this.state.state === 'closed' && this.state.failures.length === 0;
    },
    fail: (by) => {
      const before = this.state;
      this.state = fail(before, this.now, { by, why: 'no' }, rules, this.#random());
      if (before.state === 'closed') return this.#counted(by);
      const isProbe = this.#probe?.by === by;
      if (!isProbe) return this.state === before;
      this.#probe = undefined;
      return this.#opened();
    },
  };

  #counted(by: string): boolean {
    const others = this.#failures.filter((one) => one.by !== by);
    this.#failures = [...others, { at: this.now, by }];
    const recent = this.#failures.filter(({ at }) => this.now - at < rules.withinMs);
    if (recent.length < rules.failures) return this.state.state === 'closed';
    this.#failures = [];
    return this.#opened();
  }

  #opened(): boolean {
    if (this.state.state !== 'open') return false;
    this.#openUntil = this.state.until;
    const pause = this.state.until - this.now;
    return pause >= 0.75 * rules.openMs && pause <= 1.25 * rules.longestMs;
  }
}

test('whatever happens in whatever order: at most one probe, none before its time, and never open without reason', () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= 300; seed++) broken.push(...explore(seed));
  expect(broken).toEqual([]);
});

/** @returns the first broken promise, if there is one */
function explore(seed: number): string[] {
  const random = seeded(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const model = new Model(random);
  for (let step = 0; step < 60; step++) {
    model.now += pick([0, 1, 1000, 15_000, 40_000, 2 * minute, 70 * minute]);
    const move = pick(['ask', 'ask', 'fail', 'fail', 'fail', 'succeed', 'giveBack', 'extend']);
    const by = pick(['a', 'b', 'c', 'd']);
    if (!model.moves[move]!(by)) return [`seed ${seed}, step ${step}: ${move} by ${by}`];
  }
  return [];
}
