import { PluginError } from '@octo/plugin-api';

/** `what` is wrong with a report: bytes are missing or altered, and only the vendor can mend that. */
export function badReport(code: string, what: string): PluginError {
  return new PluginError('integrity', `${what}; ask Affirm to send the report again`, { code });
}
