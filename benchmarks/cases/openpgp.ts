/** Case 3: one large OpenPGP message, from a folder into a folder. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import type { Case, Contender } from '../case.ts';
import { writeCsvFile } from '../data/csv-file.ts';
import { encryptFile, openKeyRing } from '../data/key-ring.ts';
import { checkFolder, intoFolder } from '../folder-contender.ts';
import type { Ground } from '../ground.ts';
import { octo } from '../octo.ts';
import { program } from '../programs.ts';

export const openpgp: Case = {
  name: 'openpgp',
  title: 'OpenPGP, from a folder into a folder',
  bar: '≥ 0.6× gpg, ≥ 1.6× sq',
  bytes: 1024 ** 3,
  programs: ['gpg', 'sq'],
  prepare,
};

async function prepare(ground: Ground, bytes: number): Promise<readonly Contender[]> {
  const ring = await openKeyRing(ground);
  const source = await ground.at('outbound');
  const delivered = await ground.at('delivered');
  const plain = join(ground.folder, 'plain.csv');
  const file = join(source, 'settlement.csv.gpg');
  await writeCsvFile(plain, bytes);
  await encryptFile(ring, plain, file);
  await rm(plain);
  const keyFile = join(ground.folder, 'private.asc');
  await writeFile(keyFile, ring.privateKey, { mode: 0o600 });
  const expected = { files: 1, bytes };
  const placeOf = (round: number): string => join(delivered, `round-${round}`);
  return [
    octo(ground, {
      from: { folder: source },
      steps: [{ decrypt: { keys: [ring.privateKey] } }],
      to: { folder: delivered },
      check: (round) => checkFolder(placeOf(round), expected),
      tidy: (round) => rm(placeOf(round), { recursive: true, force: true }),
    }),
    intoFolder(
      ground,
      'gpg -d',
      expected,
      (folder) => [program('gpg'), '--batch', '-q', '-o', join(folder, 'plain'), '-d', file],
      { GNUPGHOME: ring.home },
    ),
    intoFolder(ground, 'sq decrypt', expected, (folder) => [
      program('sq'),
      'decrypt',
      '--recipient-key',
      keyFile,
      '-o',
      join(folder, 'plain'),
      file,
    ]),
  ];
}
