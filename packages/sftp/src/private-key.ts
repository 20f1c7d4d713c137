/** A private key is read before anything is sent, so that a wrong passphrase is told as such. */
import { createRequire } from 'node:module';
import { PluginError } from '@octo/plugin-api';
import type ssh2 from 'ssh2';

/** Loaded for the first key: a configuration without one is checked without it. */
const require = createRequire(import.meta.url);

/**
 * @param address for the message
 * @throws PluginError `validation` with code `PRIVATE_KEY_UNREADABLE`
 */
export function parsePrivateKey(
  text: string,
  passphrase: string | undefined,
  address: string,
): ssh2.ParsedKey {
  const { utils } = require('ssh2') as typeof ssh2;
  const parsed: unknown = utils.parseKey(text, passphrase);
  // OpenSSH's format comes as a list of one.
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ssh2.ParsedKey | Error;
  if (key instanceof Error) throw unreadable(address, reasonOf(key, passphrase));
  if (!key.isPrivateKey()) throw unreadable(address, 'it is a public key');
  return key;
}

function reasonOf({ message }: Error, passphrase: string | undefined): string {
  if (/no passphrase/i.test(message)) return 'it is encrypted; set passphrase';
  if (passphrase !== undefined && /integrity|decrypt|bad passphrase/i.test(message)) {
    return 'the passphrase does not fit';
  }
  return 'its format is none of OpenSSH, PEM and PuTTY; give the whole file, line breaks included';
}

function unreadable(address: string, reason: string): PluginError {
  return new PluginError('validation', `sftp ${address}: privateKey cannot be used: ${reason}`, {
    code: 'PRIVATE_KEY_UNREADABLE',
  });
}
