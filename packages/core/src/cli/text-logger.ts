import type { Logger } from '@octo/plugin-api';
import { describeError } from '../observe/describe-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { Environment } from './environment.ts';
import { formatClockTime } from './format-time.ts';
import { paintFor, type Meaning } from './paint.ts';

type Fields = { readonly [name: string]: unknown };
export type Level = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export const levels: readonly Level[] = ['debug', 'info', 'warn', 'error', 'silent'];
const meanings: Readonly<Record<Exclude<Level, 'silent'>, Meaning>> = {
  debug: 'minor',
  info: 'minor',
  warn: 'doubtful',
  error: 'bad',
};

/** Logs as lines for people: `03:45:07 warn  the run failed: no route to host (pipeline affirm)`. */
export class TextLogger implements Logger {
  readonly #environment: Environment;
  readonly #lowest: Level;

  constructor(environment: Environment, lowest: Level) {
    this.#environment = environment;
    this.#lowest = lowest;
  }

  debug(fields: Fields, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: Fields, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: Fields, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: Fields, message: string): void {
    this.#write('error', fields, message);
  }

  #write(level: keyof Logger, fields: Fields, message: string): void {
    if (levels.indexOf(level) < levels.indexOf(this.#lowest)) return;
    const { stderr, env, clock, redactor } = this.#environment;
    const word = paintFor(stderr, env)(meanings[level], level.padEnd(5));
    const time = formatClockTime(clock.now());
    stderr.write(`${time} ${word} ${redactor.redact(escapeText(lineOf(fields, message)))}\n`);
  }
}

function lineOf({ err, ...rest }: Fields, message: string): string {
  const because = err === undefined ? '' : `: ${describeError(err)}`;
  const details = Object.entries(shown(rest)).map(([name, value]) => `${name} ${valueOf(value)}`);
  return message + because + (details.length > 0 ? ` (${details.join(', ')})` : '');
}

/** What only programs look for is left to them: the pipeline says which plugins, `runs show` which trace. */
function shown({ trace: _, ...fields }: Fields): Fields {
  if (fields['pipeline'] === undefined) return fields;
  const { instance: __, ...rest } = fields;
  return rest;
}

function valueOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}
