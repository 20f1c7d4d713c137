import { PluginError } from '@octo/plugin-api';

/** `what` continues "the archive …". */
export function archiveInvalid(what: string, cause?: unknown): PluginError {
  return new PluginError(
    'integrity',
    `the archive ${what}; fetch it again, or ask the vendor to send it again`,
    { code: 'ARCHIVE_INVALID', cause },
  );
}
