import { join } from 'node:path';
import { masterKeyFinder } from '../../src/secrets/master-key.ts';
import { withSecret } from '../../src/secrets/secret-entry.ts';
import { secretPlaceOf } from '../../src/secrets/secret-place.ts';
import { SecretStore } from '../../src/secrets/secret-store.ts';

/** Changes one secret for ever, and the master key at every third turn; says each value that is in the store. */
const [, , folder = '', first = '1'] = process.argv;
const place = secretPlaceOf({ env: {}, cwd: folder, stateFolder: folder });
const store = new SecretStore({ place, key: masterKeyFinder(place.key, undefined) });
for (let turn = Number(first); ; turn += 1) {
  const at = new Date(turn).toISOString();
  await store.change((entries) => withSecret(entries, 'turn', { value: String(turn) }, at));
  process.stdout.write(`${turn}\n`);
  if (turn % 3 === 0) await store.rotateKey(join(folder, 'master.key'));
}
