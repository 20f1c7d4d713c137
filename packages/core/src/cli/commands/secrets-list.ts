import type { SecretEntry } from '../../secrets/secret-entry.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatDuration } from '../format-duration.ts';
import { formatTime } from '../format-time.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { secretJson } from '../secret-json.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { table } from '../table.ts';

/** `octo-host secrets list`: which there are, who may use them, how old their values are. Never a value. */
export const secretsList: CommandCode = async (args, environment) => {
  const { stdout, clock } = environment;
  const { entries, revision } = await secretStoreOf(args, environment).read();
  await using audit = await openAuditOf(args, environment);
  await recordSecret(audit, environment, [{ action: 'secrets.list' }], async () => {
    stdout.write(
      flag(args, 'json')
        ? `${JSON.stringify({ revision, secrets: entries.map(secretJson) })}\n`
        : `${lines(entries, clock.now()).join('\n')}\n`,
    );
  });
  return exitCodes.allWell;
};

function lines(entries: readonly SecretEntry[], nowMs: number): string[] {
  if (entries.length === 0) return ['no secrets; octo-host secrets set NAME takes one'];
  const rows = entries.map(({ name, grants, changed }) => [
    name,
    formatTime(new Date(changed)),
    formatDuration(nowMs - Date.parse(changed)),
    grants.join(', ') || 'nobody',
  ]);
  return table(['name', 'changed', 'age', 'for'], rows);
}
