import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createMasterKey } from '../src/secrets/create-master-key.ts';
import { masterKeyFinder } from '../src/secrets/master-key.ts';
import { secretPlaceOf } from '../src/secrets/secret-place.ts';
import { SecretStore } from '../src/secrets/secret-store.ts';

const WRITER = fileURLToPath(new URL('support/secrets-writer.ts', import.meta.url));
const KILLS = 6;

/** Lets a writer make some changes and kills it in the middle of what comes next. @returns the last that it promised */
async function killedAfter(changes: number, folder: string, first: number): Promise<number> {
  const args = ['--conditions=octo-source', WRITER, folder, String(first)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let [count, promised] = [0, first - 1];
  for await (const line of createInterface({ input: child.stdout })) {
    promised = Number(line);
    count += 1;
    if (count === changes) child.kill('SIGKILL');
  }
  expect((await ended)[1]).toBe('SIGKILL');
  return promised;
}

test('a process that is killed while it changes secrets leaves all of them, old or new', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-killed-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const place = secretPlaceOf({ env: {}, cwd: folder, stateFolder: folder });
  await createMasterKey(place.key);
  await new SecretStore({ place, key: masterKeyFinder(place.key, undefined) }).create();
  let next = 1;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const promised = await killedAfter(kill, folder, next);
    const store = new SecretStore({ place, key: masterKeyFinder(place.key, undefined) });
    const found = Number((await store.read()).entries[0]?.value);
    expect([promised, promised + 1]).toContain(found);
    next = found + 1;
  }
});
