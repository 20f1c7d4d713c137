import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createMasterKey } from '../src/secrets/create-master-key.ts';
import { masterKeyFinder } from '../src/secrets/master-key.ts';
import { withSecret } from '../src/secrets/secret-entry.ts';
import { secretPlaceOf } from '../src/secrets/secret-place.ts';
import { SecretStore } from '../src/secrets/secret-store.ts';
import {
  ageDecrypt,
  ageEncrypt,
  ageKeygen,
  ageMissing,
  atTerminal,
  canAskAge,
} from './support/age.ts';

const missing = ageMissing();
if (missing !== undefined) console.warn(`secrets and age: not run, ${missing}`);
else if (!canAskAge()) console.warn('age and passphrases: not run, script is missing (util-linux)');

const PASSPHRASE = 'open sesame';

/** A store with one secret; its key is one that a test puts there, or a new one. */
async function storeWith(makeKey?: (file: string) => Promise<void> | void) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-age-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [keyFile, storeFile] = [join(folder, 'master.key'), join(folder, 'secrets.age')];
  const place = secretPlaceOf({ env: {}, cwd: folder, stateFolder: folder });
  await makeKey?.(keyFile);
  await createMasterKey(place.key);
  const key = masterKeyFinder(place.key, async () => PASSPHRASE);
  const store = new SecretStore({ place, key });
  await store.create();
  const change = { value: 'hunter2', grants: ['lake'] };
  await store.change((entries) => withSecret(entries, 'db', change, '2026-01-16T03:45:00.000Z'));
  return { folder, keyFile, storeFile, store, key };
}

test.skipIf(missing)(
  'age opens the store with the key, and after a rotation with the new one',
  async () => {
    const { keyFile, storeFile, store } = await storeWith();
    const shown = () => JSON.parse(ageDecrypt(keyFile, storeFile)) as { entries: object[] };
    expect(shown().entries).toMatchObject([{ name: 'db', value: 'hunter2', grants: ['lake'] }]);
    await store.rotateKey(keyFile);
    expect(shown().entries).toMatchObject([{ name: 'db', value: 'hunter2' }]);
  },
);

test.skipIf(missing)('a key of age-keygen is a master key', async () => {
  const { store } = await storeWith(ageKeygen);
  expect((await store.read()).entries).toMatchObject([{ value: 'hunter2' }]);
});

test.skipIf(missing)(
  'a store that age sealed again is told from ours by its code alone',
  async () => {
    const { keyFile, storeFile, store, key } = await storeWith();
    const { recipient } = await key();
    const text = ageDecrypt(keyFile, storeFile);
    ageEncrypt(recipient, text.replace('"revision": 2', '"revision": 3'), storeFile);
    await expect(store.read()).rejects.toMatchObject({
      code: 'OCTO_SECRETS_DAMAGED',
      message: expect.stringContaining('do not come from whoever has the master key'),
    });
  },
);

test.skipIf(!canAskAge())(
  'age opens the store with a key that we put behind a passphrase',
  async () => {
    const { keyFile, storeFile } = await storeWith(async (file) => {
      const place = secretPlaceOf({
        env: { OCTO_MASTER_KEY_FILE: file },
        cwd: '/',
        stateFolder: '/',
      });
      await createMasterKey(place.key, PASSPHRASE);
    });
    expect(await readFile(keyFile, 'utf8')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----/);
    const said = atTerminal(`age -d -i '${keyFile}' '${storeFile}'`, [PASSPHRASE]);
    expect(said).toContain('"value": "hunter2"');
  },
);

test.skipIf(!canAskAge())('a key that age put behind a passphrase is a master key', async () => {
  const { store } = await storeWith(async (file) => {
    const plain = `${file}.plain`;
    ageKeygen(plain);
    atTerminal(`age -p -o '${file}' '${plain}'`, [PASSPHRASE, PASSPHRASE]);
    await chmod(file, 0o600);
    await rm(plain);
  });
  expect((await store.read()).entries).toMatchObject([{ value: 'hunter2' }]);
});
