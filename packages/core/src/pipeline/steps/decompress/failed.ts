import { PluginError } from '@octo/plugin-api';

const AGAIN = 'ask the vendor to send it again';

/** `what` continues "the compressed file …"; `advice` says what to do about it. */
export function decompressFailed(what: string, cause?: unknown, advice = AGAIN): PluginError {
  return new PluginError('integrity', `the compressed file ${what}; ${advice}`, {
    code: 'DECOMPRESS_FAILED',
    cause,
  });
}
