/** `settlement.csv.gz.gpg`, as vendors send it. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Ground } from '../ground.ts';
import { writeCsvFile } from './csv-file.ts';
import { encryptFile, type KeyRing } from './key-ring.ts';

/** @param bytes of the CSV inside */
export async function writePackedCsv(
  ground: Ground,
  ring: KeyRing,
  to: string,
  bytes: number,
): Promise<void> {
  const plain = join(ground.folder, 'plain.csv');
  const packed = join(ground.folder, 'plain.csv.gz');
  await writeCsvFile(plain, bytes);
  await pipeline(createReadStream(plain), createGzip(), createWriteStream(packed));
  await encryptFile(ring, packed, to);
  await rm(plain);
  await rm(packed);
}
