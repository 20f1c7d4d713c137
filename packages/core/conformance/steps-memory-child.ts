// Decrypts the file of its first argument and prints the bytes that came out and the peak of resident memory.
import { createReadStream } from 'node:fs';
import { receivingKey, vendorKey } from '@octo/plugin-testing';
import type { StepContext } from '../src/pipeline/step.ts';
import { decryptKind } from '../src/pipeline/steps/decrypt/decrypt.ts';

const [, , path = ''] = process.argv;
const step = await decryptKind.create({
  keys: [receivingKey.privateKey],
  passphrases: [],
  expectSigned: { signers: [vendorKey.publicKey], fingerprints: [] },
  trimTrailing: false,
} as never);
const context = {
  limits: { maxBytes: 2 ** 40, maxRatio: 1000, maxMembers: 1 },
  clock: { now: () => Date.UTC(2026, 1, 1) },
  signal: new AbortController().signal,
  warn: () => undefined,
  remember: () => undefined,
} as unknown as StepContext;

let bytes = 0;
for await (const content of step.run({ name: 'large', bytes: createReadStream(path) }, context)) {
  for await (const chunk of content.bytes) bytes += chunk.length;
}
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ bytes, peakMiB }));
