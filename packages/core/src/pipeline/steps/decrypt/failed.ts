import { PluginError } from '@octo/plugin-api';

/**
 * The one error for everything that is wrong inside a message. Whether padding, session key or integrity check failed
 * stays in `cause`: told apart in public, they would let a sender probe our key.
 */
export function decryptFailed(cause: unknown): PluginError {
  return new PluginError(
    'integrity',
    'the file cannot be decrypted or was changed on its way; fetch it again, or ask the vendor to send it again',
    { code: 'DECRYPT_FAILED', cause },
  );
}

export function notSigned(): PluginError {
  return new PluginError(
    'integrity',
    'the file carries no valid signature of an expected signer; ask the vendor who signed it, and with which key',
    { code: 'SIGNATURE' },
  );
}
