/** SSH host keys for tests: the same seed gives the same key, so that a manifest can pin a server that is not up yet. */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import ssh2 from 'ssh2';

export interface HostKey {
  /** As `ssh-keygen -l` prints it: `SHA256:` and unpadded base64. */
  readonly fingerprint: string;
  /** `ssh-ed25519 AAAA…`, as in a known_hosts file. */
  readonly line: string;
  /** OpenSSH's private key format. */
  readonly privateKey: string;
}

/** An ed25519 key that follows from the seed. Not secret, of course: for loopback only. */
export function hostKeyFromSeed(seed: string): HostKey {
  const secret = createHash('sha256').update(seed).digest();
  const pkcs8 = Buffer.concat([PKCS8_ED25519_PREFIX, secret]);
  const key = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  const publicBytes = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
  return hostKeyFrom(openSshPrivateKey(publicBytes, secret));
}

/** A fresh RSA key of 2048 bits. */
export function rsaHostKey(): HostKey {
  return hostKeyFrom(ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }).private);
}

/** @param privateKey in OpenSSH's or PEM format, not encrypted */
export function hostKeyFrom(privateKey: string): HostKey {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  const blob = parsed.getPublicSSH();
  return { fingerprint: fingerprintOf(blob), line: lineOf(parsed.type, blob), privateKey };
}

function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

function lineOf(type: string, blob: Buffer): string {
  return `${type} ${blob.toString('base64')}`;
}

/** The DER of a PKCS #8 ed25519 private key up to its 32 bytes. RFC 8410, section 7. */
const PKCS8_ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function openSshPrivateKey(publicBytes: Buffer, secret: Buffer): string {
  const type = prefixed(Buffer.from('ssh-ed25519'));
  const publicBlob = Buffer.concat([type, prefixed(publicBytes)]);
  const check = Buffer.from('octoocto');
  const keys = [check, publicBlob, prefixed(Buffer.concat([secret, publicBytes])), prefixed('')];
  const unpadded = Buffer.concat(keys);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (unpadded.length % 8)) % 8);
  const none = prefixed('none');
  const one = Buffer.of(0, 0, 0, 1);
  const all = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    none,
    none,
    prefixed(''),
    one,
    prefixed(publicBlob),
    prefixed(Buffer.concat([unpadded, padding])),
  ]);
  const lines = all.toString('base64').match(/.{1,70}/g) ?? [];
  const label = 'OPENSSH PRIVATE KEY';
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function prefixed(bytes: Buffer | string): Buffer {
  const buffer = Buffer.from(bytes as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(buffer.length);
  return Buffer.concat([length, buffer]);
}
