import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encryptedStream, receivingKey, vendorKey } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';

const MiB = 1024 * 1024;
const child = fileURLToPath(new URL('steps-memory-child.ts', import.meta.url));

test('a signed message of 512 MiB is decrypted with less than 250 MiB of memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-memory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'large.pgp');
  const message = encryptedStream(chunks(512), { to: [receivingKey], signedBy: [vendorKey] });
  await pipeline(message, createWriteStream(path));
  const args = ['--conditions=octo-source', child, path];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { bytes, peakMiB } = JSON.parse(stdout) as { bytes: number; peakMiB: number };
  console.info(`peak of resident memory: ${Math.round(peakMiB)} MiB`);
  expect(bytes).toBe(512 * MiB);
  expect(peakMiB).toBeLessThan(250);
});

async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield Buffer.alloc(MiB, `${index},1299.00\n`);
}
