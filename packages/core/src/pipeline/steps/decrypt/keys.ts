import { PluginError } from '@octo/plugin-api';
import { decryptKey, readKeys, readPrivateKeys, type PrivateKey, type PublicKey } from 'openpgp';
import { notBuffer, OPENPGP } from './library.ts';

/**
 * Our private keys, unlocked, from what the manifest holds: each text one or more keys, armored or as base64 of the
 * binary form.
 * @throws PluginError `validation` for what is no private key, and for a key that no passphrase opens
 */
export async function readOwnKeys(
  texts: readonly string[],
  passphrases: readonly string[],
): Promise<readonly PrivateKey[]> {
  const keys: PrivateKey[] = [];
  for (const [index, text] of texts.entries()) {
    for (const block of blocks(text, 'PRIVATE')) {
      const found = await readable(`keys[${index}]`, 'private', () =>
        'armored' in block
          ? readPrivateKeys({ armoredKeys: block.armored, config: OPENPGP })
          : readPrivateKeys({ binaryKeys: block.binary, config: OPENPGP }),
      );
      for (const key of found) keys.push(await unlock(key, passphrases));
    }
  }
  return keys;
}

/**
 * The keys whose signatures count.
 * @param fingerprints of their primary keys, hexadecimal; empty means all that are given
 * @throws PluginError `validation` for what is no public key, and for a fingerprint that none of them has
 */
export async function readSigners(
  texts: readonly string[],
  fingerprints: readonly string[],
): Promise<readonly PublicKey[]> {
  const keys: PublicKey[] = [];
  for (const [index, text] of texts.entries()) {
    for (const block of blocks(text, 'PUBLIC')) {
      const found = await readable(`expectSigned/signers[${index}]`, 'public', () =>
        'armored' in block
          ? readKeys({ armoredKeys: block.armored, config: OPENPGP })
          : readKeys({ binaryKeys: block.binary, config: OPENPGP }),
      );
      keys.push(...found.map((key) => key.toPublic()));
    }
  }
  return fingerprints.length === 0 ? keys : fingerprints.map((one) => pinned(keys, one));
}

type Block = { readonly armored: string } | { readonly binary: Uint8Array };

/** openpgp.js reads only the first of several armored blocks in one text. */
function blocks(text: string, kind: 'PRIVATE' | 'PUBLIC'): readonly Block[] {
  if (!text.includes('-----BEGIN')) return [{ binary: notBuffer(Buffer.from(text, 'base64')) }];
  const block = new RegExp(
    `-----BEGIN PGP ${kind} KEY BLOCK-----[^]*?-----END PGP ${kind} KEY BLOCK-----`,
    'g',
  );
  return (text.match(block) ?? ['']).map((armored) => ({ armored }));
}

async function readable<Key>(
  where: string,
  kind: string,
  read: () => Promise<Key[]>,
): Promise<Key[]> {
  try {
    return await read();
  } catch (error) {
    throw new PluginError(
      'validation',
      `${where} is not an OpenPGP ${kind} key, armored or as base64 of the binary form`,
      { cause: error },
    );
  }
}

async function unlock(privateKey: PrivateKey, passphrases: readonly string[]): Promise<PrivateKey> {
  if (privateKey.isDecrypted()) return privateKey;
  let cause: unknown;
  for (const passphrase of passphrases) {
    try {
      return await decryptKey({ privateKey, passphrase, config: OPENPGP });
    } catch (error) {
      cause = error;
    }
  }
  throw new PluginError(
    'validation',
    `no passphrase opens the key ${privateKey.getFingerprint()}; add its passphrase to "passphrases"`,
    { code: 'KEY_UNAVAILABLE', cause },
  );
}

function pinned(keys: readonly PublicKey[], fingerprint: string): PublicKey {
  const wanted = fingerprint.replaceAll(/\s/g, '').toLowerCase();
  const key = keys.find((one) => one.getFingerprint() === wanted);
  if (key !== undefined) return key;
  throw new PluginError(
    'validation',
    `none of the signers has the fingerprint ${fingerprint}; it must be that of a primary key`,
  );
}
