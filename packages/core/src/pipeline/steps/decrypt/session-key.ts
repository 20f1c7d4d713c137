import { createDecipheriv } from 'node:crypto';
import { PluginError } from '@octo/plugin-api';
import {
  decryptSessionKeys,
  enums,
  readMessage,
  type DecryptedSessionKey,
  type PrivateKey,
} from 'openpgp';
import { HIDDEN_KEY_ID, type Container, type Envelope } from './envelope.ts';
import { decryptFailed } from './failed.ts';
import { notBuffer, OPENPGP } from './library.ts';

export interface OpenedKey {
  readonly sessionKey: DecryptedSessionKey;
  /** Our key that the sender named; `undefined` when the recipients are hidden. */
  readonly ownKey: PrivateKey | undefined;
}

const { aes128, aes192, aes256, tripledes, cast5 } = enums.symmetric;
/** What a message may be encrypted with when its key is wrapped with RSA or ElGamal. */
const CIPHERS = [aes128, aes192, aes256, tripledes, cast5];

/** Node's names, and the block size in bytes, of the ciphers whose beginning we can check. */
const CFB: { readonly [algorithm: string]: readonly [cipher: string, blockBytes: number] } = {
  aes128: ['aes-128-cfb', 16],
  aes192: ['aes-192-cfb', 16],
  aes256: ['aes-256-cfb', 16],
  tripledes: ['des-ede3-cfb', 8],
};

/**
 * Unwraps the key of the message with one of ours.
 * @throws PluginError `auth`, code `KEY_UNAVAILABLE`, when the message is for other keys; `integrity` when it can only
 *   be opened with a password, or its key is damaged
 */
export async function openSessionKey(
  envelope: Envelope,
  keys: readonly PrivateKey[],
  date: Date,
): Promise<OpenedKey> {
  const wanted = envelope.recipients.map(({ keyId }) => keyId);
  if (wanted.length === 0) throw noRecipient(envelope.password);
  const named = keys.find((key) => key.getKeyIDs().some((id) => wanted.includes(id.toHex())));
  const hidden = wanted.includes(HIDDEN_KEY_ID);
  if (named === undefined && !hidden) throw keyMissing(wanted);
  const candidates = await unwrap(envelope, keys, date).catch((error: unknown) => {
    throw named === undefined ? keyMissing(wanted) : decryptFailed(error);
  });
  const sessionKey = await choose(candidates, envelope.container);
  if (sessionKey === undefined) {
    throw named === undefined ? keyMissing(wanted) : decryptFailed(new Error('no key fits'));
  }
  return { sessionKey, ownKey: named };
}

/**
 * For SEIPD v1 in constant time: a PKCS#1 padding that is wrong yields a random key, not another error. The library
 * cannot do that for the keys of version 6 that come with AEAD.
 */
async function unwrap(
  envelope: Envelope,
  keys: readonly PrivateKey[],
  date: Date,
): Promise<DecryptedSessionKey[]> {
  return decryptSessionKeys({
    message: await readMessage({
      binaryMessage: notBuffer(Buffer.concat(envelope.recipients.map(({ packet }) => packet))),
      config: OPENPGP,
    }),
    decryptionKeys: [...keys],
    date,
    config: {
      ...OPENPGP,
      constantTimePKCS1Decryption: isSeipd1(envelope.container),
      constantTimePKCS1DecryptionSupportedSymmetricAlgorithms: new Set(CIPHERS),
    },
  });
}

/** Several candidates come from constant time, and from hidden recipients that are tried with every key. */
async function choose(
  candidates: readonly DecryptedSessionKey[],
  container: Container,
): Promise<DecryptedSessionKey | undefined> {
  if (candidates.length < 2 || !isSeipd1(container)) return candidates[0];
  const start = await container.body.peek(1 + 16 + 2);
  const fitting = candidates.filter((candidate) => fits(candidate, start.subarray(1)));
  return (
    fitting.find(({ algorithm }) => algorithm !== null && algorithm in CFB) ??
    fitting.find(({ algorithm }) => algorithm === 'cast5')
  );
}

/** SEIPD v1 begins with a random block whose last two bytes are repeated (RFC 9580, 5.13.1). */
function fits({ algorithm, data }: DecryptedSessionKey, start: Uint8Array): boolean {
  const cfb = CFB[algorithm ?? ''];
  if (cfb === undefined) return true;
  const [cipher, block] = cfb;
  const decipher = createDecipheriv(cipher, data, Buffer.alloc(block));
  const plain = decipher.update(start.subarray(0, block + 2));
  return plain[block - 2] === plain[block] && plain[block - 1] === plain[block + 1];
}

function isSeipd1({ tag, version }: Container): boolean {
  return tag === 18 && version === 1;
}

function keyMissing(wanted: readonly string[]): PluginError {
  const ids = [...new Set(wanted)].map((id) =>
    id === HIDDEN_KEY_ID ? 'hidden' : id.toUpperCase(),
  );
  return new PluginError(
    'auth',
    `none of the configured keys opens the file; it is encrypted for ${ids.join(', ')}: add that private key to the decrypt step`,
    { code: 'KEY_UNAVAILABLE' },
  );
}

function noRecipient(password: boolean): PluginError {
  if (!password) return decryptFailed(new Error('no session key packet'));
  return new PluginError(
    'integrity',
    'the file is encrypted with a password; ask the vendor to encrypt it with our public key',
    { code: 'PASSWORD_ENCRYPTED' },
  );
}
