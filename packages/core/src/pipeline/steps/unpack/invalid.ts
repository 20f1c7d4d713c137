import { PluginError } from '@octo/plugin-api';

const AGAIN = 'ask the vendor to send it again';

/** `what` continues "the archive …"; `advice` says what to do about it. */
export function archiveInvalid(what: string, cause?: unknown, advice = AGAIN): PluginError {
  return new PluginError('integrity', `the archive ${what}; ${advice}`, {
    code: 'ARCHIVE_INVALID',
    cause,
  });
}
