import { parseArgs } from 'node:util';
import { didYouMean } from '../manifest/suggest.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { Args, CommandSpec } from './command.ts';
import { commands } from './commands.ts';
import { UsageError } from './usage-error.ts';

export interface CommandLine {
  readonly command: CommandSpec;
  readonly args: Args;
}

/**
 * Finds the command and reads its options and operands.
 * @throws UsageError for anything that is not understood, with what was probably meant
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const words = argv.length === 0 ? ['help'] : synonyms(argv);
  const command = findCommand(words);
  const rest = words.slice(command.name.split(' ').length);
  const args = readArgs(command, rest);
  if (args.options['help'] !== true) checkOperands(command, args.operands);
  return { command, args };
}

function synonyms(argv: readonly string[]): readonly string[] {
  const [first = '', ...rest] = argv;
  if (first === '--help' || first === '-h') return ['help', ...rest];
  if (first === '--version' || first === '-v' || first === '-V') return ['version', ...rest];
  return argv;
}

function findCommand(words: readonly string[]): CommandSpec {
  const [first = '', second = ''] = words;
  const found =
    commands.find(({ name }) => name === `${first} ${second}`) ??
    commands.find(({ name }) => name === first);
  if (found) return found;
  if (first.startsWith('-')) {
    throw new UsageError(
      `the command comes before its options, but '${escapeText(first)}' came first`,
    );
  }
  const further = commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name] : []));
  if (further.length > 0)
    throw new UsageError(`'${first}' needs one more word: ${further.join(', ')}`);
  const names = new Set(commands.map(({ name }) => name.split(' ')[0] ?? name));
  throw new UsageError(`there is no command '${escapeText(first)}'${didYouMean(first, names)}`);
}

function readArgs(command: CommandSpec, rest: readonly string[]): Args {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short }]) => [
      name,
      short === undefined ? { type } : { type, short },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options,
      allowPositionals: true,
    });
    return {
      operands: positionals,
      options: values,
    };
  } catch (error) {
    throw unreadable(command, error);
  }
}

/** Node's messages talk about its own API, ours about the command. */
function unreadable(command: CommandSpec, error: unknown): UsageError {
  const message = error instanceof Error ? error.message : String(error);
  const help = helpFor(command);
  const code = (error as { readonly code?: unknown }).code;
  const option = /'(?:-\w, )?(--?[^' ]+)/.exec(message)?.[1] ?? '';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    if (command.noMore !== undefined)
      return new UsageError(`this command has no such option; ${command.noMore}`, help);
    const names = Object.keys(command.options).map((name) => `--${name}`);
    const meant = didYouMean(option, names);
    return new UsageError(
      `'octo-host ${command.name}' has no option '${escapeText(option)}'${meant}`,
      help,
    );
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const spec = command.options[option.replace(/^-+/, '')];
    const wanted =
      spec?.type === 'string' ? `needs a value: ${option}=${spec.value}` : 'takes no value';
    return new UsageError(`'${option}' ${wanted}`, help);
  }
  throw error;
}

function checkOperands(command: CommandSpec, operands: readonly string[]): void {
  const missing = command.operands.slice(operands.length).find(({ required }) => required);
  if (missing) {
    throw new UsageError(`'octo-host ${command.name}' needs <${missing.name}>`, helpFor(command));
  }
  const extra = operands[command.operands.length];
  if (extra !== undefined) {
    if (command.noMore !== undefined) throw new UsageError(command.noMore, helpFor(command));
    throw new UsageError(
      `'octo-host ${command.name}' does not know what to do with '${escapeText(extra)}'`,
      helpFor(command),
    );
  }
}

function helpFor(command: CommandSpec): string {
  return `octo-host ${command.name} --help`;
}
