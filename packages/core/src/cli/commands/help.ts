import type { CommandCode } from '../command.ts';
import { commands } from '../commands.ts';
import { parseCommandLine } from '../parse-command-line.ts';
import { commandHelp, overview } from '../usage.ts';

/** `octo-host help [command]`. */
export const help: CommandCode = async (args, { stdout }) => {
  const [word] = args.operands;
  if (word === undefined) {
    stdout.write(overview());
    return 0;
  }
  const { command } = parseCommandLine([word, '--help']);
  const family = commands.filter(({ name }) => name.startsWith(`${command.name} `));
  stdout.write([command, ...family].map(commandHelp).join('\n'));
  return 0;
};
