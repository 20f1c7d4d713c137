/**
 * What is offered in the key exchange: an allow-list, so that nothing weak comes in with a new version of the library.
 * ssh2 adds strict key exchange (CVE-2023-48795) by itself; AES-GCM comes first, which that attack cannot touch.
 */
import type { Algorithms } from 'ssh2';

/** @param keyTypes host key types to accept, such as `ssh-rsa`; all when undefined */
export function algorithms(legacy: boolean, keyTypes?: ReadonlySet<string>): Algorithms {
  const hostKeys = [...HOST_KEYS].filter(([type]) => keyTypes?.has(type) ?? true);
  return {
    kex: legacy ? [...KEX, ...LEGACY_KEX] : KEX,
    serverHostKey: hostKeys.flatMap(([type, signatures]) =>
      legacy && type === 'ssh-rsa' ? [...signatures, 'ssh-rsa'] : signatures,
    ) as Algorithms['serverHostKey'] & unknown[],
    cipher: legacy ? [...CIPHERS, ...LEGACY_CIPHERS] : CIPHERS,
    hmac: legacy ? [...MACS, ...LEGACY_MACS] : MACS,
    compress: ['none'],
  };
}

/** Every type of host key that can be accepted. */
export function hostKeyTypes(): ReadonlySet<string> {
  return new Set(HOST_KEYS.keys());
}

type List<K extends keyof Algorithms> = Extract<Algorithms[K], readonly unknown[]>;

const KEX: List<'kex'> = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
];
const LEGACY_KEX: List<'kex'> = [
  'diffie-hellman-group-exchange-sha1',
  'diffie-hellman-group14-sha1',
];

/** Key type to the signatures that are accepted with it, best first. */
const HOST_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
]);

const CIPHERS: List<'cipher'> = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
];
const LEGACY_CIPHERS: List<'cipher'> = ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'];

const MACS: List<'hmac'> = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
];
const LEGACY_MACS: List<'hmac'> = ['hmac-sha1-etm@openssh.com', 'hmac-sha1'];
