/**
 * Puts our own decryption of AES-GCM in the place of ssh2's. Looks first whether the library's inside is what it expects,
 * and leaves it alone when not.
 */
import type { Client } from 'ssh2';
import { GcmDecipher, type PacketDecipher } from './gcm-decipher.ts';

interface Protocol {
  _decipher?: PacketDecipher;
}

/** Who decrypts what comes over a connection: this package, ssh2's native addon, or ssh2 in JavaScript, which is slow. */
export type Decryption = 'own' | 'native' | 'library';

/** To be called when the login has succeeded: then the connection stands between two packets. */
export function decryptOurselves(client: Client): Decryption {
  const protocol = (client as unknown as { readonly _protocol?: Protocol })._protocol;
  const decipher = protocol?._decipher;
  if (protocol === undefined || decipher === undefined) return 'library';
  const own = GcmDecipher.insteadOf(decipher);
  if (own === undefined)
    return decipher.constructor.name.endsWith('Binding') ? 'native' : 'library';
  let current: PacketDecipher = own;
  Object.defineProperty(protocol, '_decipher', {
    get: () => current,
    // Every further key exchange brings a new one.
    set: (next: PacketDecipher) => {
      current = GcmDecipher.insteadOf(next) ?? next;
    },
  });
  return 'own';
}
