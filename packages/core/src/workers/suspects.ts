import type { Clock } from '@octo/plugin-api';
import type { Delivery } from '../ledger/delivery.ts';
import { isOpen } from '../ledger/known-version.ts';
import type { ClaimRequest } from '../ledger/ledger.ts';
import type { Deaths } from './deaths.ts';
import { type Mark, markIn, MOST_ALONE } from './mark.ts';
import type { WorkerLimits } from './worker-limits.ts';

interface Suspect extends Mark {
  /** On the monotonic clock. */
  readonly sinceMs: number;
  /** It was to be set aside without being read. */
  readonly isConvicted: boolean;
  /** A commit of it may still be under way: whoever claims it has to give the sink time. */
  readonly isUnclear: boolean;
}

/**
 * The files of a pipeline that a worker had in hand when it died. Each is tried alone, so that the next death tells which
 * one it was. A death that one file explains is that file's; all others are the plugin's.
 */
export class Suspects {
  readonly #deaths: Deaths;
  readonly #clock: Clock;
  readonly #limits: WorkerLimits;
  readonly #all = new Map<string, Suspect>();
  #passedMs = Number.NEGATIVE_INFINITY;
  /** The last thing that happened: a file came through, rather than a worker died. */
  #hasPassed = false;

  constructor(deaths: Deaths, limits: WorkerLimits, clock: Clock) {
    this.#deaths = deaths;
    this.#limits = limits;
    this.#clock = clock;
  }

  get ids(): readonly string[] {
    return [...this.#all.keys()];
  }

  /** What is known of it; nothing for one that is no suspect. */
  mark(id: string): Mark | undefined {
    return this.#all.get(id);
  }

  /** Takes over what earlier processes and other hosts have noted in the ledger. */
  learn(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const mark = markIn(delivery.reason);
      if (!isOpen(delivery)) this.#all.delete(delivery.id);
      else if (mark !== undefined && !this.#all.has(delivery.id)) this.#add(delivery, mark);
    }
  }

  /**
   * Those that a request may have, in the order in which to try them. After one that came through the worst is next;
   * after a death the one of which least is known, so that a plugin that dies of everything shows before any file has
   * three deaths.
   */
  among({ ids, exclude = [] }: Pick<ClaimRequest, 'ids' | 'exclude'>): readonly string[] {
    const isMeant = (id: string) => ids?.includes(id) !== false && !exclude.includes(id);
    const worst = this.#hasPassed ? -1 : 1;
    return [...this.#all]
      .filter(([id]) => isMeant(id))
      .toSorted(([, a], [, b]) => worst * (a.alone - b.alone))
      .map(([id]) => id);
  }

  /** Whether somebody of whom nothing is known is to go first: it has killed, and nobody else has been tried since. */
  wantsWitness(id: string): boolean {
    return !this.#hasPassed && (this.#all.get(id)?.alone ?? 0) > 0;
  }

  /** It came to an end that only one comes to who has read it. */
  passed(id: string): void {
    this.#all.delete(id);
    this.#passedMs = this.#clock.monotonic();
    this.#hasPassed = true;
  }

  /** It is dealt with; that says nothing of the plugin. */
  gone(id: string): void {
    if (this.#all.get(id)?.isConvicted === true) this.#deaths.forgive(id);
    this.#all.delete(id);
  }

  /** A worker has died with these in hand; `how` is what people are told. */
  died(how: string, deliveries: readonly Delivery[]): void {
    this.#hasPassed = false;
    const isAlone = deliveries.length === 1;
    for (const delivery of deliveries) {
      const before = this.#all.get(delivery.id);
      const alone = (before?.alone ?? 0) + (isAlone ? 1 : 0);
      this.#add(delivery, { alone, how: shortened(how) }, before);
    }
    const ids = deliveries.map(({ id }) => id);
    const [only] = ids;
    if (isAlone && this.#isAgain(only!)) this.#deaths.forgive(only!);
    else this.#deaths.add(how, ids);
  }

  /**
   * Whether it is to be set aside instead of being read; asked when it is about to be handed out. Never when no other file
   * has come through: then it may well be the plugin, unless there is no other file.
   */
  convict(id: string, isOnlyOne: boolean): boolean {
    const suspect = this.#all.get(id);
    if (suspect === undefined) return false;
    const isConvicted = suspect.alone >= MOST_ALONE && (isOnlyOne || this.#hasProof(suspect));
    this.#all.set(id, { ...suspect, isConvicted });
    return isConvicted;
  }

  /** Whether it must be looked for, which takes its time, before it can be tried. */
  isUnclear(id: string): boolean {
    return this.#all.get(id)?.isUnclear === true;
  }

  /** It is being looked for. */
  looking(id: string): void {
    const suspect = this.#all.get(id);
    if (suspect !== undefined) this.#all.set(id, { ...suspect, isUnclear: false });
  }

  /** Whether it has killed although it was not read any more. */
  isDeadly(id: string): boolean {
    return this.#all.get(id)?.isConvicted === true;
  }

  #add({ id, uploadId, heldRaw }: Delivery, mark: Mark, before?: Suspect): void {
    const { sinceMs = this.#clock.monotonic(), isConvicted = false } = before ?? {};
    const isUnclear = uploadId !== undefined && heldRaw !== undefined;
    this.#all.set(id, { ...mark, sinceMs, isConvicted, isUnclear });
  }

  #isAgain(id: string): boolean {
    const suspect = this.#all.get(id)!;
    return suspect.alone > 1 && this.#hasProof(suspect);
  }

  /** That the plugin can read: another file came through since, or not long before. */
  #hasProof({ sinceMs }: Suspect): boolean {
    return this.#passedMs >= sinceMs - this.#limits.deathsWithinMs;
  }
}

/** A plugin may have chosen the words; they go into the reason of each file. */
function shortened(how: string): string {
  return how.length > LONGEST ? `${how.slice(0, LONGEST)}…` : how;
}

const LONGEST = 300;
