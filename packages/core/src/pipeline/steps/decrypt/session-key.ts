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
import { beginsLikeMessage, fitsStart, START_BYTES } from './first-packets.ts';
import { notBuffer, OPENPGP } from './library.ts';

export interface OpenedKey {
  readonly sessionKey: DecryptedSessionKey;
  /** Our key that the sender named; `undefined` when the recipients are hidden. */
  readonly ownKey: PrivateKey | undefined;
}

const { aes128, aes192, aes256, tripledes, cast5 } = enums.symmetric;
/** What a message may be encrypted with when its key is wrapped with RSA or ElGamal. */
const CIPHERS = [aes128, aes192, aes256, tripledes, cast5];

/**
 * Unwraps the key of the message with one of ours.
 * @throws PluginError `validation`, code `KEY_UNAVAILABLE`, when the message is for other keys; `integrity` when it can only
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
  const sessionKey = await choose(envelope, keys, date).catch((error: unknown) => {
    throw named === undefined ? keyMissing(wanted) : decryptFailed(error);
  });
  return { sessionKey, ownKey: named };
}

/**
 * For SEIPD v1, several candidates come from constant time, and from hidden recipients that are tried with every key.
 * When none fits, it may be a cipher that cannot be looked into (CAST5), whose random keys look as good as the right
 * one: then the key is unwrapped again, and only a right one comes back.
 */
async function choose(
  envelope: Envelope,
  keys: readonly PrivateKey[],
  date: Date,
): Promise<DecryptedSessionKey> {
  const { container } = envelope;
  if (!isSeipd1(container)) return only(await unwrap(envelope, keys, date, false));
  const start = (await container.body.peek(1 + START_BYTES)).subarray(1);
  const candidates = await unwrap(envelope, keys, date, true);
  const sessionKey =
    candidates.find((candidate) => fitsStart(candidate, start)) ??
    only(
      (await unwrap(envelope, keys, date, false)).filter(
        (candidate) => fitsStart(candidate, start) === undefined,
      ),
    );
  if (!beginsLikeMessage(sessionKey, start)) throw new Error('no message inside');
  return sessionKey;
}

function only(candidates: readonly DecryptedSessionKey[]): DecryptedSessionKey {
  if (candidates[0] === undefined) throw new Error('no key fits');
  return candidates[0];
}

/**
 * In constant time, a PKCS#1 padding that is wrong yields random keys, not an error. The library cannot do that for
 * the keys of version 6 that come with AEAD.
 */
async function unwrap(
  envelope: Envelope,
  keys: readonly PrivateKey[],
  date: Date,
  constantTime: boolean,
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
      constantTimePKCS1Decryption: constantTime,
      constantTimePKCS1DecryptionSupportedSymmetricAlgorithms: new Set(CIPHERS),
    },
  });
}

function isSeipd1({ tag, version }: Container): boolean {
  return tag === 18 && version === 1;
}

function keyMissing(wanted: readonly string[]): PluginError {
  const ids = [...new Set(wanted)].map((id) =>
    id === HIDDEN_KEY_ID ? 'hidden' : id.toUpperCase(),
  );
  return new PluginError(
    // Not 'auth': nobody refused us, our configuration lacks something.
    'validation',
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
