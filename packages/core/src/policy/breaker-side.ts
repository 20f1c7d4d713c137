import type { Clock, Logger } from '@octo/plugin-api';
import type { BreakerPolicy } from '../manifest/manifest.ts';
import { describeError } from '../observe/describe-error.ts';
import {
  ask,
  type Breaker,
  type BreakerAnswer,
  extend,
  fail,
  giveBack,
  PROBE_LEASE_MS,
  succeed,
} from '../resilience/breaker.ts';
import { withDeadline } from '../resilience/deadline.ts';
import type { Breakers, Moved } from './breakers.ts';

/** The books, and who is told what changes in them. */
export interface BookOptions {
  readonly breakers: Pick<Breakers, 'move'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is told each change once, over all hosts, by whichever made it. */
  readonly onChange: (change: BreakerChange) => void;
}

export interface SideOptions extends BookOptions {
  /** 0 ≤ random() < 1, for jitter. */
  readonly random: () => number;
  readonly redact: (text: string) => string;
  /** Which run. */
  readonly by: string;
}

export interface BreakerChange {
  readonly instance: string;
  readonly state: Breaker['state'];
  /** Of one that opened: why, and until when. Milliseconds since the Unix epoch. */
  readonly why?: string;
  readonly until?: number;
}

/** The books may take so long before a run goes on without them. Milliseconds. */
const PATIENCE_MS = 5000;
const LONGEST_REASON = 300;

type Step<T> = (before: Breaker, now: number) => { readonly next: Breaker; readonly answer: T };

/** The breaker of one instance, as one run uses it. No trouble with the books ever leaves it. */
export class BreakerSide implements AsyncDisposable {
  readonly id: string;
  readonly rules: BreakerPolicy;
  readonly #options: SideOptions;
  readonly #over = new AbortController();
  #isProbe = false;
  #wasReached = false;
  #written: Promise<unknown> = Promise.resolve();

  constructor(id: string, rules: BreakerPolicy, options: SideOptions) {
    this.id = id;
    this.rules = rules;
    this.#options = options;
  }

  get isProbe(): boolean {
    return this.#isProbe;
  }

  get wasReached(): boolean {
    return this.#wasReached;
  }

  /** Whether the run may go, with the time of the books; `undefined` when they do not answer. Rejects with the signal's reason. */
  async ask(signal: AbortSignal): Promise<(BreakerAnswer & { readonly now: number }) | undefined> {
    const moved = await move(this.id, this.#options, (before, now) =>
      ask(before, now, this.#options.by),
    );
    signal.throwIfAborted();
    if (moved?.answer.go === 'probe') {
      this.#isProbe = true;
      void this.#stayAlive();
    }
    return moved && { ...moved.answer, now: moved.now };
  }

  /** The other side answered. Once is enough. */
  reached(): void {
    if (this.#wasReached) return;
    this.#wasReached = true;
    this.#written = forgetBreaker(this.id, this.#options);
  }

  async failed(why: unknown, retryAfterMs: number | undefined): Promise<void> {
    const { by, random, redact } = this.#options;
    const text = redact(typeof why === 'string' ? why : describeError(why));
    const failure = { by, why: text.slice(0, LONGEST_REASON), retryAfterMs };
    const chance = random();
    await this.#written;
    await move(this.id, this.#options, (before, now) => {
      return { next: fail(before, now, failure, this.rules, chance), answer: undefined };
    });
  }

  /** A probe that has learnt nothing leaves its place to the next one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort('over');
    await this.#written;
    if (!this.#isProbe) return;
    const { by } = this.#options;
    await quietly(this.id, this.#options, (before, now) => ({
      next: giveBack(before, now, by),
      answer: undefined,
    }));
  }

  async #stayAlive(): Promise<void> {
    const { clock, by } = this.#options;
    const { signal } = this.#over;
    for (;;) {
      await clock.sleep(PROBE_LEASE_MS / 3, signal).catch(() => undefined);
      if (signal.aborted || this.#wasReached) return;
      await quietly(this.id, this.#options, (before, now) => ({
        next: extend(before, now, by),
        answer: undefined,
      }));
    }
  }
}

/** What is known of an instance is forgotten: it is asked as usual. */
export async function forgetBreaker(id: string, options: BookOptions): Promise<void> {
  await move(id, options, (before) => ({ next: succeed(before), answer: undefined }));
}

/** @returns `undefined` when the books do not answer */
async function move<T>(
  id: string,
  options: BookOptions,
  step: Step<T>,
): Promise<Moved<T> | undefined> {
  const moved = await quietly(id, options, step);
  if (moved !== undefined && moved.after.state !== moved.before.state)
    options.onChange(changeOf(id, moved.after));
  return moved;
}

async function quietly<T>(
  id: string,
  { breakers, clock, logger }: BookOptions,
  step: Step<T>,
): Promise<Moved<T> | undefined> {
  const what = `the breaker of plugin '${id}'`;
  try {
    return await withDeadline(what, PATIENCE_MS, clock, NEVER, () => breakers.move(id, step));
  } catch (error) {
    logger.warn({ instance: id, err: error }, 'a breaker does not answer; going on without');
    return undefined;
  }
}

const NEVER = new AbortController().signal;

function changeOf(instance: string, after: Breaker): BreakerChange {
  if (after.state !== 'open') return { instance, state: after.state };
  return { instance, state: 'open', why: after.why, until: after.until };
}
