/** Which keys a server shows: for a person who compares them with what the vendor says, and then pins them. */
import { isPluginError, PluginError, type Clock } from '@octo/plugin-api';
import { hostKeyTypes } from './algorithms.ts';
import { HostKeyRefused, logIn } from './log-in.ts';
import { openSocket, resolveHost } from './open-socket.ts';
import type { PinnedHostKeys } from './pinned-host-keys.ts';
import { unpinnedSettings } from './sftp-options.ts';

export interface ScannedHostKey {
  /** Such as `ssh-ed25519`. */
  readonly type: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** Of the key itself, as `ssh-keygen -l` counts. */
  readonly bits: number | undefined;
  /** `type base64`, as in known_hosts, without a host. */
  readonly line: string;
}

const NONE: PinnedHostKeys = { accepts: () => false, types: undefined };

/**
 * Asks a server for its key of each type: one connection a type, which ends in the key exchange. Nothing is sent that only
 * the right server may know, and no key is believed.
 * @throws PluginError `network`; `validation` when the server has no key that could be pinned
 */
export async function scanHostKeys(
  { host, port }: { readonly host: string; readonly port: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly ScannedHostKey[]> {
  const settings = unpinnedSettings(host, port);
  const addresses = await resolveHost(settings, clock, signal);
  const { default: Library } = await import('ssh2-sftp-client');
  const found: ScannedHostKey[] = [];
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  for (const type of hostKeyTypes()) {
    const { socket, lend } = await openSocket(settings, addresses, clock, signal);
    const keyTypes = new Set([type]);
    const attempt = {
      Library,
      settings,
      socket,
      lend,
      pinned: NONE,
      keyTypes,
      clock,
      logger: silent,
    };
    try {
      await logIn(attempt, signal);
    } catch (error) {
      if (error instanceof HostKeyRefused) found.push(scanned(error));
      else if (!isPluginError(error) || error.code !== 'NO_COMMON_ALGORITHM') throw error;
    } finally {
      socket.destroy();
    }
  }
  if (found.length > 0) return found;
  throw new PluginError(
    'validation',
    `sftp ${settings.address}: the server has no key of a type that can be pinned (${[...hostKeyTypes()].join(', ')}), or no key exchange that is safe; ask the vendor to update it`,
    { code: 'NO_COMMON_ALGORITHM' },
  );
}

function scanned({ key, keyType, fingerprint }: HostKeyRefused): ScannedHostKey {
  return {
    type: keyType,
    fingerprint,
    bits: bitsOf(key, keyType),
    line: `${keyType} ${key.toString('base64')}`,
  };
}

/** The size of the curve, or of an RSA modulus: the third field of the key. RFC 4253, section 6.6 */
function bitsOf(key: Buffer, type: string): number | undefined {
  if (type === 'ssh-ed25519') return 256;
  const curve = /nistp(\d+)$/.exec(type)?.[1];
  if (curve !== undefined) return Number(curve);
  const [, , modulus = Buffer.alloc(0)] = fieldsOf(key);
  const first = modulus.findIndex((byte) => byte !== 0);
  if (first === -1) return undefined;
  return (modulus.length - first) * 8 - Math.clz32(modulus[first]!) + 24;
}

function fieldsOf(key: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at + 4 <= key.length;) {
    const length = key.readUInt32BE(at);
    fields.push(key.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return fields;
}
