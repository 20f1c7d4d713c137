import { PluginError } from '@octo/plugin-api';

/**
 * `what` is wrong with a reply, so that it must not be delivered. Codes: `TRUNCATED`, `MALFORMED`, `COUNT_MISMATCH`,
 * `LINE_TOO_LONG`, `ERROR_REPLY`, `EMPTY_FILE`, `UNKNOWN_FORM`.
 */
export function badReply(code: string, what: string): PluginError {
  const advice =
    code === 'ERROR_REPLY' ? 'correct the request and send it again' : 'request the reply again';
  return new PluginError('integrity', `${what}; ${advice}`, { code });
}

/** @param row counted from 1 as an editor counts lines @param column counted from 1 */
export function malformed(row: number, column: number | undefined, what: string): PluginError {
  const place = column === undefined ? `row ${row}` : `row ${row}, column ${column}`;
  return badReply('MALFORMED', `${place}: ${what}`);
}
