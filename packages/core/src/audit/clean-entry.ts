import type { AuditEntry } from './audit-trail.ts';

const LONGEST = 1000;
const MOST_DETAILS = 40;

/** A copy of an entry that is safe to keep: no known secret, no endless text, nothing but what an entry has. */
export function cleanEntry(entry: AuditEntry, redact: (text: string) => string): AuditEntry {
  const text = (raw: string): string => bounded(redact(raw));
  const { action, actor, target, outcome, trace, details } = entry;
  return {
    action: bounded(action),
    actor: {
      kind: actor.kind,
      id: text(actor.id),
      ...(actor.address !== undefined && { address: text(actor.address) }),
    },
    outcome,
    ...(target !== undefined && { target: text(target) }),
    ...(trace !== undefined && { trace: text(trace) }),
    ...(details !== undefined && { details: cleanDetails(details, text) }),
  };
}

function cleanDetails(
  details: NonNullable<AuditEntry['details']>,
  text: (raw: string) => string,
): NonNullable<AuditEntry['details']> {
  const kept = Object.entries(details).slice(0, MOST_DETAILS);
  return Object.fromEntries(
    kept.map(([name, value]) => [bounded(name), typeof value === 'string' ? text(value) : value]),
  );
}

function bounded(text: string): string {
  const whole = text.toWellFormed();
  return whole.length > LONGEST ? `${whole.slice(0, LONGEST).toWellFormed()}…` : whole;
}
