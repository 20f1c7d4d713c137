import type { AuditRecord } from '../../audit/audit-record.ts';
import { auditFolder } from '../../audit/open-audit.ts';
import { recordsOf } from '../../audit/verify-audit.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { actorText, auditFilter } from '../audit-filter.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { formatTime } from '../format-time.ts';
import { paintFor } from '../paint.ts';
import { table } from '../table.ts';
import { UsageError } from '../usage-error.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host audit show [target]`: the newest records, oldest of them first. */
export const auditShow: CommandCode = async (args, environment) => {
  const { stdout, stderr } = environment;
  const records = await newest(args, environment);
  if (flag(args, 'json')) {
    stdout.write(`${JSON.stringify({ records })}\n`);
  } else if (records.length === 0) {
    stderr.write('no records match\n');
  } else printTable(records, environment);
  return exitCodes.allWell;
};

async function newest(args: Args, environment: Environment): Promise<AuditRecord[]> {
  const limit = limitOf(args);
  const wanted = auditFilter(args);
  const kept: AuditRecord[] = [];
  for await (const record of recordsOf(auditFolder(workplaceOf(args, environment).stateFolder))) {
    if (!wanted(record)) continue;
    kept.push(record);
    if (kept.length >= 2 * limit) kept.splice(0, kept.length - limit);
  }
  return kept.slice(-limit);
}

function limitOf(args: Args): number {
  const text = stringOption(args, 'limit') ?? '100';
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0 && limit <= 1_000_000) return limit;
  throw new UsageError(
    `--limit must be a whole number from 1 to 1000000, not '${escapeText(text)}'`,
    'octo-host audit show --help',
  );
}

function printTable(records: readonly AuditRecord[], { stdout, env }: Environment): void {
  const paint = paintFor(stdout, env);
  const [head = '', ...lines] = table(
    ['n', 'when (UTC)', 'who', 'what', 'outcome', 'target', 'details'],
    records.map((record) => [
      String(record.n),
      formatTime(new Date(record.at)),
      escapeText(actorText(record)),
      escapeText(record.action),
      record.outcome,
      escapeText(record.target ?? ''),
      escapeText(detailsText(record)),
    ]),
  );
  stdout.write(`${paint('strong', head)}\n${lines.map((line) => `${line}\n`).join('')}`);
}

function detailsText({ details = {}, actor: { address }, trace }: AuditRecord): string {
  const all = { ...(address && { address }), ...(trace && { trace }), ...details };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
