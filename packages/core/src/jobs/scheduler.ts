import type { Clock, Logger } from '@octo/plugin-api';
import { type CatchUp, chosenRuns, dueTimes } from './due-runs.ts';
import type { RunQueue, ScheduleMark } from './run-queue.ts';
import type { Schedule } from './schedule.ts';

/** A pipeline and when it runs. */
export interface Timed {
  readonly schedule: Schedule;
  readonly catchUp: CatchUp;
  readonly logger: Logger;
}

export interface SchedulerOptions {
  readonly queue: Pick<RunQueue, 'mark' | 'due'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sleeps are cut to this length, so that a suspended machine or a corrected clock is noticed. Milliseconds. */
const LONGEST_SLEEP_MS = 60_000;
/** After the database did not answer. */
const PAUSE_MS = 1000;

interface Entry extends Timed {
  mark: ScheduleMark | undefined;
  isRestart: boolean;
}

/**
 * Turns the times of schedules into requests for runs. Every host does it for the pipelines that it serves; the queue makes
 * one run of each time. Of a schedule's times, it remembers how far they have been dealt with, so that those which come
 * while no host runs can be caught up with.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  #entries = new Map<string, Entry>();
  #changed = new AbortController();
  #isFirst = true;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** From now on these, by pipeline. What has the same schedule as before keeps its times. */
  follow(timed: ReadonlyMap<string, Timed>): void {
    const before = this.#entries;
    this.#entries = new Map();
    for (const [id, one] of timed) {
      const known = before.get(id);
      const isSame = known?.schedule.text === one.schedule.text;
      if (!isSame) one.logger.info({ schedule: one.schedule.text }, 'pipeline scheduled');
      const mark = isSame ? known?.mark : undefined;
      this.#entries.set(id, { ...one, mark, isRestart: this.#isFirst });
    }
    this.#isFirst = false;
    this.#changed.abort('changed');
  }

  /** Keeps them until the signal is aborted. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      this.#changed = new AbortController();
      const either = AbortSignal.any([signal, this.#changed.signal]);
      try {
        const next = await this.#round(signal);
        const left = next === undefined ? LONGEST_SLEEP_MS : next - clock.now();
        await clock.sleep(Math.max(1, Math.min(left, LONGEST_SLEEP_MS)), either);
      } catch (error) {
        if (either.aborted) continue;
        logger.error({ err: error }, 'schedules cannot be kept at the moment; trying again');
        await clock.sleep(PAUSE_MS, either).catch(() => undefined);
      }
    }
  }

  /** Deals with all times that have come. @returns the next one */
  async #round(signal: AbortSignal): Promise<number | undefined> {
    const nexts: number[] = [];
    for (const [id, entry] of this.#entries) {
      if (signal.aborted) return undefined;
      const next = await this.#dealWith(id, entry);
      if (next !== undefined) nexts.push(next);
    }
    return nexts.length === 0 ? undefined : Math.min(...nexts);
  }

  async #dealWith(pipeline: string, entry: Entry): Promise<number | undefined> {
    const { clock, queue } = this.#options;
    const { schedule, logger, catchUp } = entry;
    const now = clock.now();
    const { text, atOnce } = schedule;
    const restart = entry.isRestart && catchUp !== 'all';
    const mark = (entry.mark ??= await queue.mark({ pipeline, text, atOnce, restart, now }));
    const times = dueTimes(schedule, mark, now);
    const newest = times.at(-1);
    if (newest !== undefined) {
      const choose = (open: readonly number[]) => chosenRuns(open, catchUp, now);
      const answer = await queue.due({ pipeline, text, times, choose });
      const due = new Date(newest).toISOString();
      if (answer === 'skipped')
        logger.warn(
          { due, schedule: text },
          'a run was skipped because the one before is not done yet',
        );
      if (answer === 'none') logger.info({ due, schedule: text }, 'a time that was missed is left');
      entry.mark = { ...mark, last: newest };
    }
    const next = schedule.next(Math.max(now, entry.mark.last), mark.anchor);
    if (next === undefined && newest !== undefined)
      logger.warn({ schedule: text }, 'the schedule has no further time');
    return next;
  }
}
