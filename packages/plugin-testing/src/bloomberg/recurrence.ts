/** When a recurring program or trigger runs again. */

/**
 * @param frequency as in `PROGRAMFLAG` or a trigger's `frequency`; `undefined`, `adhoc`, `oneshot` and `once` never recur
 * @returns milliseconds since the epoch
 */
export function nextRun(frequency: string | undefined, lastMs: number): number | undefined {
  switch (frequency) {
    case 'daily':
      return lastMs + DAY_MS;
    case 'weekly':
      return lastMs + 7 * DAY_MS;
    case 'weekday':
      return nextDay(lastMs, (weekday) => weekday >= 1 && weekday <= 5);
    case 'weekend':
      return nextDay(lastMs, (weekday) => weekday === 0 || weekday === 6);
    case 'monthly':
      return monthLater(lastMs);
    default:
      return undefined;
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;

function nextDay(lastMs: number, wanted: (weekday: number) => boolean): number {
  let next = lastMs + DAY_MS;
  while (!wanted(new Date(next).getUTCDay())) next += DAY_MS;
  return next;
}

/** The same day of the next month, or its last one. */
function monthLater(lastMs: number): number {
  const last = new Date(lastMs);
  const next = new Date(lastMs);
  next.setUTCMonth(last.getUTCMonth() + 1);
  if (next.getUTCDate() !== last.getUTCDate()) next.setUTCDate(0);
  return next.getTime();
}
