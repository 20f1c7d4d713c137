import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encrypter } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newIdentity } from '../../src/secrets/age-file.ts';
import { masterKeyFinder } from '../../src/secrets/master-key.ts';
import { secretPlaceOf } from '../../src/secrets/secret-place.ts';

const isRoot = process.geteuid?.() === 0;

let folder: string;
let identity: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-master-'));
  identity = await newIdentity();
});
afterAll(() => rm(folder, { recursive: true }));

/** A file of a mode, whatever the umask. */
async function file(name: string, text: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** Of scrypt at its cheapest, which takes no second. */
async function protectedBy(passphrase: string): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(4);
  return await encrypter.encrypt(`# created: today\n${identity}\n`);
}

const keyOf = async (
  env: Record<string, string>,
  ask?: (question: string) => Promise<string>,
): Promise<{ identity: string; where: string }> =>
  await masterKeyFinder(secretPlaceOf({ env, cwd: folder, stateFolder: folder }).key, ask)();

test('the key comes from a file such as age-keygen writes', async () => {
  await file('mine.key', `# created: today\r\n# public key: age1\r\n${identity}\r\n`);
  expect(await keyOf({ OCTO_MASTER_KEY_FILE: 'mine.key' })).toMatchObject({ identity });
});

test('without a word it is master.key in the state folder', async () => {
  const path = await file('master.key', identity);
  expect(await keyOf({})).toMatchObject({ identity, where: path });
});

test('a key from the environment is taken out of it', async () => {
  const env: Record<string, string> = { OCTO_MASTER_KEY: identity };
  expect(await keyOf(env)).toMatchObject({ identity, where: 'OCTO_MASTER_KEY' });
  expect(env).toEqual({});
  expect(await keyOf(env)).toMatchObject({ identity });
});

test('two keys are one too many', async () => {
  const env = { OCTO_MASTER_KEY: identity, OCTO_MASTER_KEY_FILE: 'mine.key' };
  await expect(keyOf(env)).rejects.toMatchObject({ code: 'OCTO_SETTING_INVALID' });
});

test('without a key the secrets are sealed', async () => {
  await expect(keyOf({ OCTO_MASTER_KEY_FILE: 'nowhere/master.key' })).rejects.toMatchObject({
    code: 'OCTO_SECRETS_SEALED',
    message: expect.stringContaining(`there is no ${join(folder, 'nowhere/master.key')}`),
  });
});

test.each([0o640, 0o604, 0o620, 0o610])('a key of mode %o is refused', async (mode) => {
  const path = await file('open.key', identity, mode);
  await expect(keyOf({ OCTO_MASTER_KEY_FILE: path })).rejects.toMatchObject({
    code: 'OCTO_SECRET_FILE_EXPOSED',
    message: expect.stringContaining(`chmod 600 '${path}'`),
  });
});

test.runIf(isRoot)('a credential of systemd may be read by the group of its service', async () => {
  await mkdir(join(folder, 'credentials'));
  const OCTO_MASTER_KEY_FILE = await file('credentials/octo-key', identity, 0o440);
  const CREDENTIALS_DIRECTORY = join(folder, 'credentials');
  expect(await keyOf({ OCTO_MASTER_KEY_FILE, CREDENTIALS_DIRECTORY })).toMatchObject({ identity });
  await expect(keyOf({ OCTO_MASTER_KEY_FILE })).rejects.toThrow('chmod 600');
  await chmod(OCTO_MASTER_KEY_FILE, 0o444);
  await expect(keyOf({ OCTO_MASTER_KEY_FILE, CREDENTIALS_DIRECTORY })).rejects.toThrow('chmod');
  await chmod(OCTO_MASTER_KEY_FILE, 0o440);
  await chown(OCTO_MASTER_KEY_FILE, 65534, 0);
  await expect(keyOf({ OCTO_MASTER_KEY_FILE, CREDENTIALS_DIRECTORY })).rejects.toThrow('chmod');
});

test.each([
  ['blanks', '   \n'],
  ['words', 'correct horse battery staple'],
  ['a public key', 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs3290gq'],
  ['a key that was cut off', 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQ'],
])('%s is no key, and is not repeated', async (_, text) => {
  const error = await keyOf({ OCTO_MASTER_KEY_FILE: await file('bad.key', text) }).catch(String);
  expect(error).toContain('is not an identity of age');
  expect(error).not.toContain(text);
});

test('two keys in one file are one too many', async () => {
  const path = await file('two.key', `${identity}\n${await newIdentity()}\n`);
  await expect(keyOf({ OCTO_MASTER_KEY_FILE: path })).rejects.toMatchObject({
    code: 'OCTO_SECRETS_KEY_INVALID',
  });
});

test('a key behind a passphrase is asked for once, and again when its file is another one', async () => {
  const path = await file('locked.key', await protectedBy('open sesame'));
  const asked: string[] = [];
  const ask = async (question: string) => {
    asked.push(question);
    return 'open sesame';
  };
  const env = { OCTO_MASTER_KEY_FILE: path };
  const find = masterKeyFinder(secretPlaceOf({ env, cwd: '/', stateFolder: folder }).key, ask);
  expect(await find()).toMatchObject({ identity, passphrase: 'open sesame' });
  expect(await find()).toMatchObject({ identity });
  expect(asked).toEqual([`passphrase of ${path}: `]);
  await writeFile(path, await protectedBy('open sesame'));
  await find();
  expect(asked).toHaveLength(2);
});

test('without a terminal a key behind a passphrase is a sealed one; another passphrase is said', async () => {
  const OCTO_MASTER_KEY_FILE = await file('locked.key', await protectedBy('open sesame'));
  await expect(keyOf({ OCTO_MASTER_KEY_FILE })).rejects.toMatchObject({
    code: 'OCTO_SECRETS_SEALED',
    message: expect.stringContaining('takes a passphrase, and there is no terminal'),
  });
  await expect(keyOf({ OCTO_MASTER_KEY_FILE }, async () => 'sesame')).rejects.toMatchObject({
    code: 'OCTO_SECRETS_KEY_INVALID',
    message: expect.stringContaining('does not open with this passphrase'),
  });
});
