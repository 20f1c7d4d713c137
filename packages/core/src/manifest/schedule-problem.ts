import { Cron } from 'croner';

/** What is wrong with a cron expression; `undefined` when nothing is. Five fields: minute hour day month weekday. */
export function scheduleProblem(expression: string): string | undefined {
  if (right.has(expression)) return undefined;
  const problem = problemOf(expression);
  if (right.size >= MOST_KNOWN) right.clear();
  if (problem === undefined) right.add(expression);
  return problem;
}

/** Expressions that were found right: looking for their next time takes long, and every reload asks again. */
const right = new Set<string>();
const MOST_KNOWN = 10_000;

function problemOf(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 5) {
    return `has ${fields} fields; five are needed: minute hour day month weekday, such as '45 3 * * 2-6'`;
  }
  try {
    const next = new Cron(expression, { paused: true, mode: '5-part', timezone: 'UTC' }).nextRun();
    return next === null ? 'never comes' : undefined;
  } catch {
    return `is no cron expression: minute hour day month weekday, such as '45 3 * * 2-6'`;
  }
}

/** Whether this is the IANA name of a time zone that this Node knows. */
export function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
