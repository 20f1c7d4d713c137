import type { Logger } from '@octo/plugin-api';
import { safeFields } from '../observe/safe-fields.ts';
import type { Channel } from '../wire/channel.ts';

const asItIs = (text: string) => text;
/** A line is a message, no file. Characters. */
const LONGEST_MESSAGE = 8192;

/**
 * Log lines on their way to the host, which knows every secret and writes them. Lines are dropped while the host does not
 * read: a plugin that logs in a circle must not fill its own memory.
 * @param run whose line it is; empty for what the plugins say between runs
 */
export function remoteLogger(channel: () => Channel, run: string): Logger {
  const at =
    (level: keyof Logger) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      if (channel().isFull) return;
      // A plugin in JavaScript may say anything.
      const said: unknown = message;
      const short = typeof said === 'string' ? said.slice(0, LONGEST_MESSAGE) : 'no message';
      channel().tell('log', run, level, safeFields(fields, asItIs), short);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
