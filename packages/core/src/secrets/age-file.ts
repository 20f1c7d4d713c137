/**
 * Files of the age format, as the program `age` reads and writes them. The library is loaded when the first is opened:
 * most commands need none. age-encryption.org/v1
 */
const age = async () => await import('age-encryption');

/** The file is closed with other keys than the one it was tried with. */
export class OtherKey extends Error {}

/** Bytes that the owners of these recipients (`age1…`) can open. @throws TypeError for what is no recipient */
export async function sealFor(
  recipients: readonly string[],
  plain: Uint8Array,
): Promise<Uint8Array> {
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw new TypeError('not a recipient of age', { cause: error });
    }
  }
  return await encrypter.encrypt(plain);
}

/**
 * What is in a file that was sealed for this identity (`AGE-SECRET-KEY-1…`).
 * @throws OtherKey; another error when the file was changed, cut off, or is none of age
 */
export async function unseal(identity: string, sealed: Uint8Array): Promise<Uint8Array> {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(sealed);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no identity matched'))
      throw new OtherKey('closed with another key', { cause: error });
    throw error;
  }
}

/** A new identity of its own: `AGE-SECRET-KEY-1…`. */
export async function newIdentity(): Promise<string> {
  return await (await age()).generateX25519Identity();
}

/** The public half of an identity, `age1…`. @throws when it is no identity */
export async function recipientOf(identity: string): Promise<string> {
  return await (await age()).identityToRecipient(identity);
}

/** Text as an armored age file that a passphrase opens, as `age -p -a` makes it. Takes a second or two, on purpose. */
export async function sealWithPassphrase(passphrase: string, text: string): Promise<string> {
  const { armor, Encrypter } = await age();
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(text));
}

/** The same backwards, armored or not. @throws OtherKey for another passphrase; another error for what is no such file */
export async function unsealWithPassphrase(
  passphrase: string,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  const { armor, Decrypter } = await age();
  const text = Buffer.from(sealed).toString('latin1');
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return await decrypter.decrypt(isArmored(text) ? armor.decode(text) : sealed);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no identity matched'))
      throw new OtherKey('closed with another passphrase', { cause: error });
    throw error;
  }
}

/** Whether bytes begin as files of age do. */
export function isAgeFile(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return isArmored(text) || text.startsWith('age-encryption.org/v1\n');
}

/** Sealed bytes as text that survives mails and terminals. */
export async function armored(sealed: Uint8Array): Promise<string> {
  return (await age()).armor.encode(sealed);
}

function isArmored(text: string): boolean {
  return text.trimStart().startsWith('-----BEGIN AGE ENCRYPTED FILE-----');
}
