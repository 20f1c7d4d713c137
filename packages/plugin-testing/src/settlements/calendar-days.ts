/**
 * The days of a settlement calendar, as YYYY-MM-DD in UTC. Settlements are disbursed from Monday to Friday; each
 * covers the day before, and Monday's the three days since Friday.
 */
export function addDays(day: string, days: number): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at)) throw new RangeError(`'${day}' is not a day; write it as YYYY-MM-DD`);
  return new Date(at + days * 86_400_000).toISOString().slice(0, 10);
}

/** The days that the settlement of `date` covers, first to last. Throws a RangeError for a Saturday or Sunday. */
export function coveredDays(date: string): readonly string[] {
  const weekday = new Date(`${addDays(date, 0)}T00:00:00Z`).getUTCDay();
  if (weekday === 0 || weekday === 6)
    throw new RangeError(`${date} is a weekend day; its activity is in Monday's settlement`);
  const back = weekday === 1 ? [-3, -2, -1] : [-1];
  return back.map((days) => addDays(date, days));
}

/** The next `count` settlement dates, beginning with `from` itself when it is a weekday. */
export function settlementDates(from: string, count: number): readonly string[] {
  const dates: string[] = [];
  for (let day = addDays(from, 0); dates.length < count; day = addDays(day, 1)) {
    const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
    if (weekday !== 0 && weekday !== 6) dates.push(day);
  }
  return dates;
}
