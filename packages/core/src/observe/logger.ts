import type { Logger } from '@octo/plugin-api';
import { type DestinationStream, destination, pino, stdTimeFunctions } from 'pino';
import { escapeText } from './escape-text.ts';
import { safeFields } from './safe-fields.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  /** `OCTO_LOG_LEVEL` or `OCTO_LOG` is the level, `LOG_SILENT=1` means none at all. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When the environment says nothing. Default `info`. */
  readonly level?: LogLevel;
  /** Where lines go. Default: standard error, synchronously, so that a crash loses none. */
  readonly destination?: DestinationStream;
  /** Takes secrets out of every text. */
  readonly redact: (text: string) => string;
}

/** A logger that writes one JSON object a line: time, level, message and fields. */
export function createLogger({ env, level, destination: to, redact }: LoggerOptions): Logger {
  const lines = pino(
    {
      level: levelOf(env, level ?? 'info'),
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      // pino's own would look into errors again, and at more than may be shown.
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }) },
    },
    to ?? destination({ dest: 2, sync: true }),
  );
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      if (lines.isLevelEnabled(name))
        lines[name](safeFields(fields, redact), escapeText(redact(message)));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** An unknown word must not silence anybody. */
function levelOf(env: LoggerOptions['env'], otherwise: LogLevel): string {
  if (env['LOG_SILENT'] === '1') return 'silent';
  const asked = [env['OCTO_LOG_LEVEL'], env['OCTO_LOG']].map((word) => word?.toLowerCase() ?? '');
  return asked.find((word) => LEVELS.includes(word)) ?? otherwise;
}
