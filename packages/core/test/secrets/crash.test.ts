import { beforeAll, expect, test } from 'vitest';
import { newIdentity } from '../../src/secrets/age-file.ts';
import { withSecret } from '../../src/secrets/secret-entry.ts';
import { MemoryDisk, Stopped } from './memory-disk.ts';
import { diskWithStore, keyOn, KEY_FILE, NOW, setOn, storeOn, valueOn } from './memory-store.ts';

/** More calls than any of these changes makes. */
const MOST_CALLS = 60;

let files: Map<string, Uint8Array>;
beforeAll(async () => {
  const disk = await diskWithStore('the first', await newIdentity());
  await setOn(disk, 'the old one');
  files = disk.files;
});

/** Does something on a disk that stops before each of its calls in turn; gives every state in which that may leave it. */
async function* everyCrash(work: (disk: MemoryDisk) => Promise<unknown>) {
  for (let stopAt = 1; stopAt <= MOST_CALLS; stopAt += 1) {
    const disk = new MemoryDisk(files);
    disk.stopAt = stopAt;
    const error = await work(disk).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error !== undefined && !(error instanceof Stopped)) throw error;
    for (const left of disk.remains()) yield { left, stopAt, isDone: error === undefined };
    if (error === undefined) return;
  }
  throw new Error('it never came to its end');
}

test('a rewrite that ends before any of its calls leaves the old store or the new one, and goes on', async () => {
  const found = new Set<string>();
  let crashes = 0;
  for await (const { left, isDone } of everyCrash((disk) => setOn(disk, 'the new one'))) {
    crashes += 1;
    const value = await valueOn(left);
    found.add(`${value}${isDone ? ', at its end' : ''}`);
    await setOn(left, 'after the crash');
    expect(await valueOn(left)).toBe('after the crash');
  }
  expect(found).toEqual(new Set(['the old one', 'the new one', 'the new one, at its end']));
  expect(crashes).toBeGreaterThan(40);
});

test('a rotation of the key that ends before any of its calls leaves a store that the key in place opens', async () => {
  const keys = new Set<string>();
  let crashes = 0;
  for await (const { left } of everyCrash((disk) => storeOn(disk).rotateKey(KEY_FILE))) {
    crashes += 1;
    keys.add((await keyOn(left)).identity.slice(0, 30));
    expect(await valueOn(left)).toBe('the old one');
  }
  expect(keys.size).toBeGreaterThan(2);
  expect(crashes).toBeGreaterThan(80);
});

test('after a rotation the old key opens neither the store nor what is left of the one before', async () => {
  const disk = new MemoryDisk(files);
  await storeOn(disk).rotateKey(KEY_FILE);
  const [oldKey, names] = [files.get(KEY_FILE)!, [...disk.files.keys()]];
  expect(names).not.toContain('/state/secrets.age.previous');
  const withOldKey = new MemoryDisk(new Map([...disk.files, [KEY_FILE, oldKey]]));
  await expect(valueOn(withOldKey)).rejects.toMatchObject({ code: 'OCTO_SECRETS_OTHER_KEY' });
});

test('a change with the old key, after a rotation that broke off, is read with it', async () => {
  const disk = new MemoryDisk(files);
  disk.stopAt = 14;
  await expect(storeOn(disk).rotateKey(KEY_FILE)).rejects.toThrow(Stopped);
  const after = new MemoryDisk(disk.files);
  expect(await storeOn(after).keys()).toHaveLength(2);
  await storeOn(after).change((all) => withSecret(all, 'db', { value: 'set' }, NOW));
  expect(await storeOn(after).keys()).toHaveLength(1);
  expect(await valueOn(after)).toBe('set');
});
