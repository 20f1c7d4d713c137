import type { Environment } from './environment.ts';

/** What the command line knows about a command before its code is loaded. */
export interface CommandSpec {
  /** One word, or two: `files show`. */
  readonly name: string;
  /** What follows the name, such as `<pipeline>`. */
  readonly operands: readonly Operand[];
  readonly summary: string;
  /** What is said when more is given, instead of repeating it: it may be a secret. */
  readonly noMore?: string;
  /** Further lines for `--help`. */
  readonly details?: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly load: () => Promise<CommandCode>;
}

export interface Operand {
  readonly name: string;
  readonly required: boolean;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Of a string: what stands for the value in the help. */
  readonly value?: string;
  readonly summary: string;
}

/** Resolves with the exit code; an error that ends the command is reported by `main`. */
export type CommandCode = (args: Args, environment: Environment) => Promise<number>;

export interface Args {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** The value of a string option. */
export function stringOption(args: Args, name: string): string | undefined {
  const value = args.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Whether a boolean option was given. */
export function flag(args: Args, name: string): boolean {
  return args.options[name] === true;
}
