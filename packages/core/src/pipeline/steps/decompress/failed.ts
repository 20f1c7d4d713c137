import { PluginError } from '@octo/plugin-api';

export function decompressFailed(what: string, cause?: unknown): PluginError {
  return new PluginError(
    'integrity',
    `the compressed file ${what}; fetch it again, or ask the vendor to send it again`,
    { code: 'DECOMPRESS_FAILED', cause },
  );
}
