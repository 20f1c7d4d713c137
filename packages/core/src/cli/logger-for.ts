import type { Logger } from '@octo/plugin-api';
import { escapeText } from '../observe/escape-text.ts';
import { stringOption, type Args } from './command.ts';
import type { Environment } from './environment.ts';
import { type Level, levels, TextLogger } from './text-logger.ts';
import { UsageError } from './usage-error.ts';

export interface LogSettings {
  readonly format: 'text' | 'json';
  readonly level: Level;
}

/**
 * The format is `--log` or `OCTO_LOG_FORMAT`, the level `OCTO_LOG` (or `LOG_SILENT=1`), else the command's own choice.
 * @throws UsageError for a format that does not exist
 */
export function logSettings(args: Args, { env }: Environment, own: LogSettings): LogSettings {
  const format = stringOption(args, 'log') ?? (env['OCTO_LOG_FORMAT'] || own.format);
  if (format !== 'text' && format !== 'json') {
    throw new UsageError(`--log (or OCTO_LOG_FORMAT) is text or json, not '${escapeText(format)}'`);
  }
  const level = levels.find((one) => one === env['OCTO_LOG']?.toLowerCase()) ?? own.level;
  return { format, level: env['LOG_SILENT'] === '1' ? 'silent' : level };
}

/** The logger that these settings ask for; it writes to stderr. The code for JSON is loaded when it is asked for. */
export async function createLogger(
  { format, level }: LogSettings,
  environment: Environment,
): Promise<Logger> {
  if (format === 'text') return new TextLogger(environment, level);
  const { createLogger: structured } = await import('../observe/logger.ts');
  const { env, stderr, redactor } = environment;
  const destination = { write: (line: string) => stderr.write(line) };
  return structured({ env, level, destination, redact: redactor.redact });
}

/** For commands that print what they found themselves: only what is wrong, as text, unless asked otherwise. */
export async function quietLogger(args: Args, environment: Environment): Promise<Logger> {
  const settings = logSettings(args, environment, { format: 'text', level: 'warn' });
  return await createLogger(settings, environment);
}
