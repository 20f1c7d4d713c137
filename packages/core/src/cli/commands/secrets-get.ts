import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { recordSecret } from '../record-secret.ts';
import { secretJson } from '../secret-json.ts';
import { entryNamed, secretName } from '../secret-operands.ts';
import { secretStoreOf } from '../secret-store-of.ts';
import { UsageError } from '../usage-error.ts';

/** `octo-host secrets get NAME`: the value, for a person at a terminal; elsewhere only with `--reveal`. */
export const secretsGet: CommandCode = async (args, environment) => {
  const { stdout } = environment;
  const name = secretName(args);
  if (!stdout.isTerminal && !flag(args, 'reveal'))
    throw new UsageError(
      `the value of '${name}' is shown at a terminal only; --reveal writes it wherever the output goes`,
      'octo-host secrets get --help',
    );
  const store = secretStoreOf(args, environment);
  const entry = entryNamed((await store.read()).entries, name);
  await using audit = await openAuditOf(args, environment);
  await recordSecret(audit, environment, [{ action: 'secret.reveal', target: name }], async () => {
    if (flag(args, 'json'))
      stdout.write(`${JSON.stringify({ ...secretJson(entry), value: entry.value })}\n`);
    else stdout.write(shown(entry.value, stdout.isTerminal));
  });
  return exitCodes.allWell;
};

/** Ends with a line end, like the file that it may have come from. A terminal obeys nothing that stands in it. */
function shown(value: string, isTerminal: boolean): string {
  const text = value.endsWith('\n') ? value : `${value}\n`;
  return isTerminal ? text.split('\n').map(escapeText).join('\n') : text;
}
