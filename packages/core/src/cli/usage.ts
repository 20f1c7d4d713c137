import type { CommandSpec, OptionSpec } from './command.ts';
import { commands } from './commands.ts';
import { padText } from './text-width.ts';

/** The page that `octo-host help` prints. */
export function overview(): string {
  const width = Math.max(...commands.map((command) => synopsis(command).length));
  return [
    'octo-host brings vendors’ files safely into your storage.',
    '',
    'Usage: octo-host <command> [options]',
    '',
    ...commands.map((command) => `  ${padText(synopsis(command), width)}  ${command.summary}`),
    '',
    'octo-host <command> --help explains a command and its options.',
    'Exit codes: 0 all well, 1 a file failed or was quarantined, 2 manifest or configuration refused,',
    '3 a vendor or sink could not be reached.',
    '',
  ].join('\n');
}

/** The page that `octo-host <command> --help` prints. */
export function commandHelp(command: CommandSpec): string {
  const rows = Object.entries(command.options).map(
    ([name, option]) => [optionSynopsis(name, option), option.summary] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `octo-host ${synopsis(command)}: ${command.summary}`,
    ...(command.details ? ['', ...command.details] : []),
    '',
    'Options:',
    ...rows.map(([left, right]) => `  ${padText(left, width)}  ${right}`),
    '',
  ].join('\n');
}

function synopsis({ name, operands }: CommandSpec): string {
  return [name, ...operands.map((o) => (o.required ? `<${o.name}>` : `[${o.name}]`))].join(' ');
}

function optionSynopsis(name: string, { short, value }: OptionSpec): string {
  const shortForm = short === undefined ? '    ' : `-${short}, `;
  return `${shortForm}--${name}${value === undefined ? '' : ` ${value}`}`;
}
