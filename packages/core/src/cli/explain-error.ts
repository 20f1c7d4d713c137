import { isPluginError, type PluginError } from '@octo/plugin-api';
import { OctoError, type Issue } from '../errors/octo-error.ts';
import { describeError } from '../observe/describe-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import { Interrupted, type Environment } from './environment.ts';
import { isSystemError } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

type Surroundings = Pick<Environment, 'stderr' | 'env' | 'redactor'>;

/** Says on stderr what ended a command: one line for each thing that is wrong, no stack unless `OCTO_DEBUG=1`. */
export function explainError(error: unknown, { stderr, env, redactor }: Surroundings): void {
  for (const line of errorLines(error)) stderr.write(`octo-host: ${redactor.redact(line)}\n`);
  if (env['OCTO_DEBUG'] === '1' && error instanceof Error) {
    stderr.write(`${redactor.redact(error.stack ?? '')}\n`);
  }
}

/** The same for programs: one line, what is wrong separated by semicolons. */
export function errorText(error: unknown): string {
  return errorLines(error).join('; ');
}

function errorLines(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(errorLines);
  if (error instanceof UsageError) {
    return [escapeText(error.message), `see: ${escapeText(error.help)}`];
  }
  if (error instanceof OctoError) return error.issues.map(issueLine);
  if (isPluginError(error)) return [escapeText(pluginErrorLine(error))];
  if (error instanceof Interrupted)
    return [`${error.message}; the next run takes up what was in flight`];
  const text = describeError(error);
  if (isSystemError(error)) return [text];
  return [`unexpected, a defect of octo-host or of a plugin: ${text} (OCTO_DEBUG=1 shows where)`];
}

/** `what is wrong (CODE)`, unless the message names the code itself. */
function pluginErrorLine({ message, code }: PluginError): string {
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

/** `plugins.json:12:5: what is wrong (OCTO_…)`. */
export function issueLine({ code, message, where }: Issue): string {
  const place = where === undefined || message.includes(where) ? '' : `${where}: `;
  return `${escapeText(place + message)} (${code})`;
}
