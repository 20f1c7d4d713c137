import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type SeededRandom, seededRandom } from '@octo/plugin-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { describeError } from '../../src/observe/describe-error.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-hostile-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const right = `{ // a manifest
  "plugins": { "vendor": { "use": "v", "config": { "password": "\${env:PASSWORD}", "n": [1, 2.5e3, null] } },
    "lake": { "use": "./lake", "enabled": true, "policy": { "attempts": 3 } }, },
  "pipelines": { "p": { "from": "vendor", "to": "lake", "key": "a/{date:yyyy}/{name}", "every": "5m",
    "steps": ["decompress", { "decrypt": { "keys": ["\${file:key}"] } }], "limits": { "maxBytes": "3GiB" } } } }`;
const pieces = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '${env:',
  '${file:',
  '$${',
  '//',
  '/*',
  '\\u00',
  '\u0000',
  '-1e999',
  'null',
  '"__proto__": 1,',
  '\ufeff',
  '\ud800',
  'true',
];

/** The text with some of its parts removed, doubled or replaced. */
function mutant(random: SeededRandom): string {
  let text = right;
  for (let changes = random.whole(1, 4); changes > 0; changes--) {
    const at = random.whole(0, text.length);
    const end = Math.min(text.length, at + random.whole(0, 12));
    const piece = random.pick([text.slice(at, end).repeat(2), '', random.pick(pieces)]);
    text = text.slice(0, at) + piece + text.slice(end);
  }
  return text;
}

/** What is wrong with how the manifest was refused; `undefined` when it was read. */
async function refusal(file: string): Promise<string | undefined> {
  const error: unknown = await readManifest(file, { env: { PASSWORD: 'hunter2-env' } }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return undefined;
  if (!(error instanceof OctoError)) return `not in words: ${describeError(error)}`;
  if (error.issues.length === 0) return 'without an issue';
  const told = JSON.stringify([error.message, error.issues]);
  return told.includes('hunter2') ? `with a secret: ${told}` : 'in words';
}

test('whatever stands in a manifest, it is read or refused in words, and no secret is told', async () => {
  await writeFile(join(folder, 'key'), 'hunter2-key');
  const file = join(folder, 'plugins.json');
  const random = seededRandom('hostile manifest');
  const found = new Map<string | undefined, string[]>();
  for (let round = 0; round < 1000; round++) {
    const text = mutant(random);
    await writeFile(file, text);
    const how = await refusal(file);
    found.set(how, [...(found.get(how) ?? []), text]);
  }
  const good = [undefined, 'in words'];
  expect([...found].filter(([how]) => !good.includes(how))).toEqual([]);
  for (const how of good) expect(found.get(how)?.length).toBeGreaterThan(20);
});

test('a manifest may come through a pipe, but not without end', async () => {
  await expect(readManifest('/dev/zero', { env: {} })).rejects.toMatchObject({
    code: 'OCTO_MANIFEST_UNREADABLE',
  });
});

test('a named pipe as a reference is refused instead of waited for', async () => {
  await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
  const file = join(folder, 'plugins.json');
  await writeFile(file, `{ "plugins": { "v": { "use": "\${file:pipe}" } } }`);
  await expect(readManifest(file, { env: {} })).rejects.toThrow('which is not a regular file');
});
