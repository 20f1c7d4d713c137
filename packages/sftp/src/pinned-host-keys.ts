/**
 * Host keys are configuration: a server whose key is not listed is an impostor until a person says otherwise. The check
 * happens in the key exchange, before any credential is sent.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { PluginError } from '@octo/plugin-api';

export interface PinnedHostKeys {
  /** Whether the key, in SSH's encoding, is one of the pinned. */
  accepts(key: Buffer): boolean;
  /** The key types that can match, such as `ssh-ed25519`; undefined when only fingerprints are known. */
  readonly types: ReadonlySet<string> | undefined;
}

interface Pin {
  readonly sha256: Buffer;
  readonly type?: string;
}

/**
 * @param lines `SHA256:…` or `type base64`, the latter with or without a host in front and a comment behind
 * @param address for the message
 * @throws PluginError `validation` with code `HOST_KEYS_MISSING` or `HOST_KEY_UNREADABLE`
 */
export function parseHostKeys(lines: readonly string[], address: string): PinnedHostKeys {
  if (lines.length === 0) {
    throw new PluginError(
      'validation',
      `sftp ${address}: hostKeys is empty; ask the vendor for the fingerprint of the server's key ` +
        `(SHA256:…), and compare it with: octo-host hostkey scan ${address}`,
      { code: 'HOST_KEYS_MISSING' },
    );
  }
  const pins = lines.map((line, index) => parsed(line) ?? unreadable(index, address));
  const types = pins.map(({ type }) => type).filter((type) => type !== undefined);
  return {
    accepts: (key) => {
      const presented = sha256(key);
      return pins.some((pin) => timingSafeEqual(pin.sha256, presented));
    },
    types: types.length === pins.length ? new Set(types) : undefined,
  };
}

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${sha256(key).toString('base64').replace(/=+$/, '')}`;
}

/** The type that a key in SSH's encoding begins with; empty when it does not. */
export function typeOfKey(key: Buffer): string {
  if (key.length < 4) return '';
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/**
 * Makes a check safe for ssh2, which takes any returned value but undefined as the verdict, so that an async check would
 * accept every key: nothing is returned, only `true` is a yes, and a throw is a no.
 */
export function hostVerifier(
  check: (key: Buffer) => unknown,
): (key: Buffer, answer: (valid: boolean) => void) => void {
  return (key, answer) => {
    let valid = false;
    try {
      valid = check(key) === true;
    } catch {
      valid = false;
    }
    answer(valid);
  };
}

function parsed(line: string): Pin | undefined {
  const fingerprint = /(?:^|\s)SHA256:([A-Za-z0-9+/]{43})=?(?:\s|$)/.exec(line)?.[1];
  if (fingerprint !== undefined) return { sha256: Buffer.from(fingerprint, 'base64') };
  const words = line.trim().split(/\s+/);
  for (const [index, type] of words.entries()) {
    const key = Buffer.from(words[index + 1] ?? '', 'base64');
    if (type !== '' && typeOfKey(key) === type) return { type, sha256: sha256(key) };
  }
  return undefined;
}

function unreadable(index: number, address: string): never {
  throw new PluginError(
    'validation',
    `sftp ${address}: hostKeys[${index}] is neither a SHA256: fingerprint nor "type base64"; ` +
      'the old MD5 form (16 pairs of hex) is not accepted',
    { code: 'HOST_KEY_UNREADABLE' },
  );
}

function sha256(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest();
}
