import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newIdentity } from '../../src/secrets/age-file.ts';
import { masterKeyFinder } from '../../src/secrets/master-key.ts';
import { withSecret } from '../../src/secrets/secret-entry.ts';
import { secretPlaceOf } from '../../src/secrets/secret-place.ts';
import { secretSourceOf } from '../../src/secrets/secret-source-of.ts';
import { SecretStore } from '../../src/secrets/secret-store.ts';
import { takeFileLock } from '../../src/state/file-lock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { diskWithStore, NOTE_FILE, NOW, valueOn } from './memory-store.ts';

/** A state folder with a key, and a store in it that holds nothing yet. */
async function folderWithStore() {
  const folder = await mkdtemp(join(tmpdir(), 'octo-secrets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'master.key'), await newIdentity(), { mode: 0o600 });
  const options = { env: {}, cwd: folder, stateFolder: folder };
  const place = secretPlaceOf(options);
  const store = new SecretStore({ place, key: masterKeyFinder(place.key, undefined) });
  await store.create();
  const set = (name: string, value: string, ...grants: string[]) =>
    store.change((entries) => withSecret(entries, name, { value, grants }, NOW));
  return { folder, options, store, set };
}

test('what was set is found by name, with who may use it; what was not is not', async () => {
  const { options, set } = await folderWithStore();
  await set('lake-key', 'p4ssword', 'lake', 'pipeline:trades');
  await set('affirm', 'two\nlines');
  const open = await secretSourceOf(options).open();
  expect(open.names).toEqual(['affirm', 'lake-key']);
  expect(open.find('lake-key')).toMatchObject({
    value: 'p4ssword',
    grants: ['lake', 'pipeline:trades'],
  });
  expect(open.find('affirm')).toMatchObject({ value: 'two\nlines', grants: [] });
  expect(open.find('constructor')).toBeUndefined();
});

test('the files that decide are those of the store and of the key', async () => {
  const { folder, options } = await folderWithStore();
  const files = [join(folder, 'secrets.age'), join(folder, 'master.key')];
  expect(secretSourceOf(options).files).toEqual(files);
  const env = { OCTO_SECRETS: 'elsewhere/s.age', OCTO_MASTER_KEY: 'x' };
  expect(secretSourceOf({ ...options, env }).files).toEqual([join(folder, 'elsewhere/s.age')]);
});

test('nothing is looked at before a source is opened', async () => {
  const source = secretSourceOf({ env: {}, cwd: '/', stateFolder: '/nowhere' });
  await expect(source.open()).rejects.toMatchObject({ code: 'OCTO_SECRETS_NOT_FOUND' });
});

test('a store without its key is sealed', async () => {
  const { folder, options } = await folderWithStore();
  await rm(join(folder, 'master.key'));
  await expect(secretSourceOf(options).open()).rejects.toMatchObject({
    code: 'OCTO_SECRETS_SEALED',
  });
});

test('all that is made is for its user alone, and nothing of it tells a value', async () => {
  const { folder, set } = await folderWithStore();
  await set('db', 'hunter2hunter2', 'lake');
  await set('db', 'hunter3hunter3', 'lake');
  const names = (await readdir(folder)).toSorted();
  expect(names).toEqual([
    'master.key',
    'secrets.age',
    'secrets.age.lock',
    'secrets.age.previous',
    'secrets.revision',
  ]);
  for (const name of names) {
    expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
    expect(await readFile(join(folder, name), 'latin1')).not.toMatch(/hunter|lake/);
  }
});

test('a second writer is refused while the first is at it, and readers are not', async () => {
  const { folder, store, set } = await folderWithStore();
  await using _first = await takeFileLock(join(folder, 'secrets.age.lock'));
  await expect(set('db', 'x')).rejects.toMatchObject({ code: 'OCTO_SECRETS_BUSY' });
  expect((await store.read()).entries).toEqual([]);
});

test('a store is not made over another', async () => {
  const { store } = await folderWithStore();
  await expect(store.create()).rejects.toMatchObject({ code: 'OCTO_SECRETS_EXISTS' });
});

test('an edit that throws leaves the file as it was', async () => {
  const { folder, store } = await folderWithStore();
  const before = await readFile(join(folder, 'secrets.age'));
  const refuse = () => {
    throw new Error('no');
  };
  await expect(store.change(refuse)).rejects.toThrow('no');
  expect(await readFile(join(folder, 'secrets.age'))).toEqual(before);
});

test.each([
  ['', 'is empty'],
  ['x'.repeat(65537), 'has 65537 bytes'],
  ['\uD800', 'is not text of UTF-8'],
])('a value that is none is refused, and not repeated', async (value, problem) => {
  const { set } = await folderWithStore();
  await expect(set('db', value)).rejects.toMatchObject({
    code: 'OCTO_SECRET_INVALID',
    message: expect.stringMatching(new RegExp(`^the value of secret 'db' ${problem}.{0,60}$`)),
  });
});

test('when a secret was changed is when its value was', () => {
  const later = '2026-02-01T00:00:00.000Z';
  const [first] = withSecret([], 'db', { value: 'a' }, NOW);
  const [granted] = withSecret([first!], 'db', { grants: ['lake', 'lake'] }, later);
  expect(granted).toEqual({ ...first, grants: ['lake'] });
  const [changed] = withSecret([granted!], 'db', { value: 'b' }, later);
  expect(changed).toEqual({ ...granted, value: 'b', created: NOW, changed: later });
});

test('who may only read has the secrets all the same', async () => {
  const disk = await diskWithStore('x', await newIdentity());
  const readOnly = new MemoryDisk(new Map([...disk.files].filter(([path]) => path !== NOTE_FILE)));
  readOnly.create = async (path) => {
    throw Object.assign(new Error(`EROFS ${path}`), { code: 'EROFS', syscall: 'open' });
  };
  expect(await valueOn(readOnly)).toBe('x');
  expect(readOnly.files.has(NOTE_FILE)).toBe(false);
});

test('a prepared key opens the store beside the old one, and alone after its first change', async () => {
  const { folder, options, store, set } = await folderWithStore();
  await set('db', 'x');
  const next = join(folder, 'next.key');
  await store.prepareKey(next);
  expect((await secretSourceOf(options).open()).names).toEqual(['db']);
  const env = { OCTO_MASTER_KEY_FILE: next };
  const place = secretPlaceOf({ ...options, env });
  const withNext = new SecretStore({ place, key: masterKeyFinder(place.key, undefined) });
  expect((await withNext.read()).entries).toHaveLength(1);
  await withNext.finishKey();
  expect(await withNext.keys()).toHaveLength(1);
  await expect(store.read()).rejects.toMatchObject({ code: 'OCTO_SECRETS_OTHER_KEY' });
});
