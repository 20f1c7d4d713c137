import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';

const KEY_BYTES = 32;
const OF_OTHERS = 0o077;

/** Where the key of a state folder's log lies: beside the log's folder, so that the log can be given away without it. */
export function auditKeyFile(stateFolder: string): string {
  return join(stateFolder, 'audit.key');
}

/**
 * The key, made if there is none: 32 random bytes as hex, for its owner only. Two processes that make it at the same time
 * get the same one.
 * @throws OctoError `OCTO_AUDIT_UNAVAILABLE` when others can read it, or it is no key
 */
export async function auditKey(file: string): Promise<Buffer> {
  return (await readAuditKey(file)) ?? (await makeKey(file));
}

/** @returns `undefined` when there is none. @throws as {@link auditKey} */
export async function readAuditKey(file: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & OF_OTHERS) !== 0)
      throw refused(`others can read its key ${file}; take that from them: chmod 600 '${file}'`);
    const text = (await readFile(file, 'utf8')).trim();
    if (!/^[0-9a-f]{64}$/.test(text))
      throw refused(`${file} is not its key: ${KEY_BYTES} bytes as hex; restore it from a backup`);
    return Buffer.from(text, 'hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeKey(file: string): Promise<Buffer> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await handle.sync();
    // Unlike a rename it leaves a key alone that another process was quicker to make.
    await link(draft, file).catch(unlessExists);
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
  return (await readAuditKey(file))!;
}

function unlessExists(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}

function refused(why: string): OctoError {
  return new OctoError('OCTO_AUDIT_UNAVAILABLE', `the audit log cannot be used: ${why}`);
}
