import type { DueRun } from './run-queue.ts';
import type { Schedule } from './schedule.ts';

/** Which of the times that were missed while no host ran become runs: none, the last one, or all of them. */
export type CatchUp = 'none' | 'last' | 'all';

/** Older times are not caught up with. Milliseconds. */
const OLDEST_MS = 7 * 86_400_000;
/** More are not caught up with: the newest count. */
const MOST = 100;
/** A time that is dealt with so late was missed. Milliseconds. */
const LATE_MS = 60_000;

/** The times after `last` that have come, ascending; of very many the newest. Milliseconds since the Unix epoch. */
export function dueTimes(
  schedule: Schedule,
  { anchor, last }: { readonly anchor: number; readonly last: number },
  now: number,
): readonly number[] {
  const times: number[] = [];
  let after = Math.max(last, now - OLDEST_MS);
  for (;;) {
    const next = schedule.next(after, anchor);
    if (next === undefined || next > now) return times;
    times.push(next);
    if (times.length > MOST) times.shift();
    after = next;
  }
}

/** What becomes of times that nobody has dealt with. */
export function chosenRuns(
  times: readonly number[],
  catchUp: CatchUp,
  now: number,
): readonly DueRun[] {
  const runs = times.map((at): DueRun => ({
    at,
    trigger: now - at > LATE_MS ? 'catch-up' : 'schedule',
  }));
  if (catchUp === 'all') return runs;
  return runs.slice(-1).filter(({ trigger }) => catchUp === 'last' || trigger === 'schedule');
}
