import { open } from 'node:fs/promises';
import { OctoError } from '../errors/octo-error.ts';
import { readBounded, TooLarge } from '../manifest/read-bounded.ts';
import { describeError } from '../observe/describe-error.ts';
import {
  isAgeFile,
  OtherKey,
  recipientOf,
  sealWithPassphrase,
  unsealWithPassphrase,
} from './age-file.ts';
import type { KeyPlace } from './secret-place.ts';
import type { Voucher } from './store-document.ts';

/** The key that opens the store. */
export interface MasterKey extends Voucher {
  /** For messages: a path, or the name of the variable. */
  readonly where: string;
  /** What protects its file. */
  readonly passphrase?: string;
}

/** Asks a person for a text that is not shown. `undefined` where nobody sits. */
export type Ask = ((question: string) => Promise<string>) | undefined;

const MAX_KEY_BYTES = 64 * 1024;
const OF_OTHERS = 0o077;
/** systemd makes credentials 0440: root's, readable by the group that the service runs with. */
const BEYOND_CREDENTIAL = 0o337;

/** For messages. */
export function whereKeyIs(place: KeyPlace): string {
  return place.kind === 'variable' ? 'OCTO_MASTER_KEY' : place.path;
}

/**
 * Finds the master key each time that it is called. A passphrase is asked for once, and again when the key is another one:
 * a host reads its secrets anew with each manifest.
 * @throws OctoError when called: `OCTO_SECRETS_SEALED` when it is not there or cannot be had; `OCTO_SECRET_FILE_EXPOSED` when
 * others can read it; `OCTO_SECRETS_KEY_INVALID` when it is no identity of age, or the passphrase is another one
 */
export function masterKeyFinder(place: KeyPlace, ask: Ask): () => Promise<MasterKey> {
  let last: { readonly bytes: Uint8Array; readonly key: MasterKey } | undefined;
  return async () => {
    const bytes = await keyBytes(place);
    if (last === undefined || Buffer.compare(last.bytes, bytes) !== 0)
      last = { bytes, key: await keyIn(bytes, whereKeyIs(place), ask) };
    return last.key;
  };
}

/** The text of a key's file, such as `age -d -i` takes. */
export async function keyFileText(key: Voucher, passphrase?: string): Promise<string> {
  const text = `# public key: ${key.recipient}\n${key.identity}\n`;
  return passphrase === undefined ? text : await sealWithPassphrase(passphrase, text);
}

async function keyIn(bytes: Uint8Array, where: string, ask: Ask): Promise<MasterKey> {
  if (!isAgeFile(bytes)) return await keyOf(Buffer.from(bytes).toString(), where);
  if (ask === undefined) throw sealed(`${where} takes a passphrase, and there is no terminal`);
  const passphrase = await ask(`passphrase of ${where}: `);
  const key = await keyOf(await opened(bytes, passphrase, where), where);
  return { ...key, passphrase };
}

async function keyBytes(place: KeyPlace): Promise<Uint8Array> {
  if (place.kind === 'variable') return Buffer.from(place.text);
  const { path } = place;
  try {
    await using file = await open(path, 'r');
    const { mode, uid } = await file.stat();
    const isExposed =
      (mode & (place.isCredential && uid === 0 ? BEYOND_CREDENTIAL : OF_OTHERS)) !== 0;
    if (process.platform !== 'win32' && isExposed) throw exposed(path);
    return await readBounded(file, MAX_KEY_BYTES);
  } catch (error) {
    throw whyNoKey(error, path);
  }
}

function whyNoKey(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return sealed(`there is no ${path}`);
  if (code === 'EACCES' || code === 'EPERM') return sealed(`this user may not read ${path}`);
  if (code === 'EISDIR') return sealed(`${path} is a folder`);
  return error instanceof TooLarge ? invalid(path, 'is too large for one') : error;
}

async function opened(bytes: Uint8Array, passphrase: string, where: string): Promise<string> {
  try {
    return Buffer.from(await unsealWithPassphrase(passphrase, bytes)).toString();
  } catch (error) {
    if (error instanceof OtherKey)
      throw invalid(where, 'does not open with this passphrase', error);
    throw invalid(where, `is damaged (${describeError(error)})`, error);
  }
}

async function keyOf(text: string, where: string): Promise<MasterKey> {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const [identity = '', ...more] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (more.length > 0) throw invalid(where, 'holds more than one line of key');
  try {
    return { identity, recipient: await recipientOf(identity), where };
  } catch {
    // Without the cause: the library's message may quote the text.
    throw invalid(where, 'is not an identity of age (AGE-SECRET-KEY-1…)');
  }
}

function sealed(why: string): OctoError {
  return new OctoError(
    'OCTO_SECRETS_SEALED',
    `the secrets are sealed, the master key is missing: ${why}; put it there, or name it in OCTO_MASTER_KEY_FILE or OCTO_MASTER_KEY`,
  );
}

function exposed(path: string): OctoError {
  return new OctoError(
    'OCTO_SECRET_FILE_EXPOSED',
    `other users of this machine can reach the master key ${path}; take that from them: chmod 600 '${path}'`,
  );
}

function invalid(where: string, why: string, cause?: unknown): OctoError {
  return new OctoError(
    'OCTO_SECRETS_KEY_INVALID',
    `the master key in ${where} ${why}`,
    cause === undefined ? {} : { cause },
  );
}
