import type { Logger } from '@octo/plugin-api';
import { escapeText } from './escape-text.ts';
import { safeFields } from './safe-fields.ts';

/**
 * A logger that adds fixed fields to every line, such as the instance's id. What it is given is copied and cleaned
 * first, so that a plugin can neither break the log nor leak a secret into it; the fixed fields win. `otherwise` stands
 * where a line does not say it.
 */
export function childLogger(
  parent: Logger,
  fixed: Readonly<Record<string, unknown>>,
  redact: (text: string) => string,
  otherwise: Readonly<Record<string, unknown>> = {},
): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: Readonly<Record<string, unknown>>, message: string): void =>
      parent[level](
        { ...otherwise, ...safeFields(fields, redact), ...fixed },
        escapeText(redact(message)),
      );
  return Object.freeze({
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  });
}
