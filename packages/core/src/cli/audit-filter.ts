import type { AuditRecord } from '../audit/audit-record.ts';
import { escapeText } from '../observe/escape-text.ts';
import { starPattern } from '../pipeline/star-pattern.ts';
import { stringOption, type Args } from './command.ts';
import { UsageError } from './usage-error.ts';

/** Which records of the audit log a command line asks for. @throws UsageError */
export function auditFilter(args: Args): (record: AuditRecord) => boolean {
  const target = likeness(args.operands[0]);
  const action = likeness(stringOption(args, 'action'));
  const actor = likeness(stringOption(args, 'actor'));
  const outcomes = outcomesOf(stringOption(args, 'only'));
  const since = timeOf(stringOption(args, 'since'));
  return (record) =>
    target(record.target ?? '') &&
    action(record.action) &&
    actor(actorText(record)) &&
    outcomes.includes(record.outcome) &&
    Date.parse(record.at) >= since;
}

/** `key:7f3a`, or the word alone where it says all. */
export function actorText({ actor: { kind, id } }: AuditRecord): string {
  return kind === id ? kind : `${kind}:${id}`;
}

/** Without a pattern everything matches. */
function likeness(pattern: string | undefined): (text: string) => boolean {
  return pattern === undefined ? () => true : starPattern(pattern);
}

const OUTCOMES = ['done', 'denied', 'failed'];

function outcomesOf(list: string | undefined): readonly string[] {
  const asked = list?.split(',') ?? OUTCOMES;
  const wrong = asked.find((one) => !OUTCOMES.includes(one));
  if (wrong === undefined) return asked;
  throw new UsageError(
    `--only knows done, denied and failed, not '${escapeText(wrong)}'`,
    'octo-host audit show --help',
  );
}

function timeOf(text: string | undefined): number {
  if (text === undefined) return -Infinity;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(
    `--since must be a date or a time such as 2026-01-31 or 2026-01-31T08:00Z, not '${escapeText(text)}'`,
    'octo-host audit show --help',
  );
}
