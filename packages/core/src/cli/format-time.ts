/** A moment for people, UTC: `2026-01-15 03:45:07`. */
export function formatTime(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** The time of day alone, UTC, from milliseconds since the Unix epoch: `03:45:07`. */
export function formatClockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
