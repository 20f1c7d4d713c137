import { recipientOf } from '../../src/secrets/age-file.ts';
import type { MasterKey } from '../../src/secrets/master-key.ts';
import { withSecret } from '../../src/secrets/secret-entry.ts';
import { SecretStore } from '../../src/secrets/secret-store.ts';
import { MemoryDisk } from './memory-disk.ts';

export const KEY_FILE = '/keys/master.key';
export const STORE_FILE = '/state/secrets.age';
export const NOTE_FILE = '/state/secrets.revision';
export const NOW = '2026-01-16T03:45:00.000Z';

/** A store on a disk in memory; its key is the one that lies there. */
export function storeOn(disk: MemoryDisk): SecretStore {
  return new SecretStore({
    place: {
      storeFile: STORE_FILE,
      noteFile: NOTE_FILE,
      key: { kind: 'file', path: KEY_FILE, isCredential: false },
    },
    key: () => keyOn(disk),
    disk,
    lock: async () => ({ [Symbol.asyncDispose]: async () => {} }),
  });
}

export async function keyOn(disk: MemoryDisk): Promise<MasterKey> {
  const text = Buffer.from((await disk.read(KEY_FILE)) ?? []).toString();
  const identity = /^AGE-SECRET-KEY-\S+$/m.exec(text)?.[0] ?? '';
  const recipient = recipients.get(identity) ?? (await recipientOf(identity));
  recipients.set(identity, recipient);
  return { identity, recipient, where: KEY_FILE };
}

/** Thousands of reads need not work them out anew. */
const recipients = new Map<string, string>();

/** A disk with a key and a store that holds one secret, `db`. */
export async function diskWithStore(value: string, identity: string): Promise<MemoryDisk> {
  const disk = new MemoryDisk(new Map([[KEY_FILE, Buffer.from(`${identity}\n`)]]));
  const store = storeOn(disk);
  await store.create();
  await store.change((entries) => withSecret(entries, 'db', { value, grants: ['lake'] }, NOW));
  return disk;
}

/** The value of `db`. */
export async function valueOn(disk: MemoryDisk): Promise<string | undefined> {
  const { entries } = await storeOn(disk).read();
  return entries.find(({ name }) => name === 'db')?.value;
}

/** Another value for `db`. */
export async function setOn(disk: MemoryDisk, value: string): Promise<void> {
  await storeOn(disk).change((entries) => withSecret(entries, 'db', { value }, NOW));
}
