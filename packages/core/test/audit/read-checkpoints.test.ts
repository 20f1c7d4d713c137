import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { checkpointLine } from '../../src/audit/checkpoint.ts';
import { checkpointsInFile } from '../../src/audit/read-checkpoints.ts';
import { folderOfTest } from './log-bench.ts';

const log = 'a'.repeat(16);
const checkpoint = (n: number) => ({ log, n, mac: 'ab'.repeat(32) });
/** What a file is read in. */
const CHUNK = 64 * 1024;

async function numbersIn(file: string): Promise<ReadonlySet<number>> {
  const found = await Array.fromAsync(checkpointsInFile(file, log));
  return new Set(found.map(({ n }) => n));
}

test('every checkpoint of a file is found, wherever a chunk ends', async () => {
  const file = join(await folderOfTest(), 'syslog');
  const line = checkpointLine(checkpoint(10));
  for (let before = 0; before <= line.length; before += 7) {
    const padding = 'ö'.repeat((CHUNK - before) / 2).padEnd(CHUNK - before - 10, '\n');
    const text = `${checkpointLine(checkpoint(1))}\n${padding}${line}\n${padding}`;
    await writeFile(file, `${text}${checkpointLine(checkpoint(1000))}`);
    expect(await numbersIn(file)).toEqual(new Set([1, 10, 1000]));
  }
});

test('what was packed is unpacked, and half of it is refused', async () => {
  const file = join(await folderOfTest(), 'syslog.2.gz');
  const noise = Array.from({ length: 5000 }, (_, index) => `line ${index} of others\n`).join('');
  const packed = gzipSync(`${noise}${checkpointLine(checkpoint(7))}\n`);
  await writeFile(file, packed);
  expect(await numbersIn(file)).toEqual(new Set([7]));
  await writeFile(file, packed.subarray(0, packed.length / 2));
  await expect(numbersIn(file)).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
  await writeFile(file, 'no archive');
  await expect(numbersIn(file)).rejects.toMatchObject({ code: 'Z_DATA_ERROR' });
});
