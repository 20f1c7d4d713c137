import { randomBytes } from 'node:crypto';
import {
  receivingKey,
  seededRandom,
  strangerKey,
  tamperedAt,
  vendorKey,
  type SeededRandom,
} from '@octo/plugin-testing';
import { isPluginError } from '@octo/plugin-api';
import {
  createMessage,
  decrypt,
  readKey,
  readMessage,
  readPrivateKey,
  sign,
  type PrivateKey,
  type PublicKey,
} from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../../src/pipeline/step.ts';
import {
  compressedBody,
  inParts,
  literal,
  literalBody,
  mutant,
  oldPacket,
  packet,
  randomBytesOf,
  sealed,
  SEIPD1,
  type Sealing,
} from './sealed-packets.ts';
import { makeStep, type Outcome, type RunOptions, runStep } from './step-harness.ts';

const date = new Date('2026-01-01T00:00:00Z');
const loose: RunOptions = { limits: { maxRatio: 1e9 } };
let step: Step;
let own: PrivateKey;
let signing: readonly PrivateKey[];
let signers: readonly PublicKey[];
beforeAll(async () => {
  step = await makeStep('decrypt', { keys: [receivingKey.privateKey] });
  own = await readPrivateKey({ armoredKey: receivingKey.privateKey });
  signing = await Promise.all(
    [vendorKey, strangerKey].map(({ privateKey }) => readPrivateKey({ armoredKey: privateKey })),
  );
  signers = [await readKey({ armoredKey: vendorKey.publicKey })];
});

interface Result {
  readonly bytes: Buffer;
  readonly signedBy: string | null;
}

const REFUSALS: ReadonlySet<string> = new Set(['integrity', 'validation']);

/** `undefined` when it refuses. */
async function byLibrary(message: Uint8Array): Promise<Result | undefined> {
  try {
    const { data, signatures } = await decrypt({
      message: await readMessage({ binaryMessage: new Uint8Array(message) }),
      decryptionKeys: own,
      verificationKeys: [...signers],
      format: 'binary',
      date: new Date(Date.UTC(2026, 1, 1)),
      config: { maxDecompressedMessageSize: 1e8 },
    });
    const held = await Promise.all(
      signatures.map(({ verified }) => verified.then(() => true).catch(() => false)),
    );
    const signedBy = held.includes(true) ? vendorKey.fingerprint.toUpperCase() : null;
    return { bytes: Buffer.from(data), signedBy };
  } catch {
    return undefined;
  }
}

async function byStep(decryptStep: Step, message: Uint8Array): Promise<Result | undefined> {
  const outcome = await runStep(decryptStep, message, loose).catch((error: unknown) => error);
  if (isPluginError(outcome) && REFUSALS.has(outcome.type)) return undefined;
  if (outcome instanceof Error) throw outcome;
  const { contents, facts } = outcome as Outcome;
  const { signedBy } = facts['openpgp'] as { signedBy: string | null };
  return { bytes: contents[0]?.bytes as Buffer, signedBy };
}

async function randomPackets(random: SeededRandom): Promise<Buffer> {
  const length = random.pick([0, 1, 100, 5000, 65_500, 150_000]) + random.whole(0, 64);
  const content = random.chance(0.5)
    ? Buffer.from(random.text(length, 'ab\r\n,0'))
    : randomBytesOf(random, length);
  const message = random.chance(0.5)
    ? await signedPackets(content, random)
    : framed(11, literalBody(content), random);
  const compression = random.pick(['none', 'zip', 'zlib', undefined] as const);
  if (compression === undefined) return message;
  return framed(8, compressedBody(message, compression), random);
}

async function signedPackets(content: Buffer, random: SeededRandom): Promise<Buffer> {
  const message = random.chance(0.5)
    ? await createMessage({ binary: new Uint8Array(content), date })
    : await createMessage({ text: content.toString('latin1'), date });
  const signed = await sign({
    message,
    signingKeys: signing.filter(() => random.chance(0.7)).concat(signing.slice(0, 1)),
    date,
    format: 'binary',
  });
  return Buffer.from(signed as Uint8Array);
}

function framed(tag: number, body: Buffer, random: SeededRandom): Buffer {
  return random.pick([
    () => packet(tag, body),
    () => oldPacket(tag, body, 4),
    () => oldPacket(tag, body, 0),
    () =>
      inParts(
        tag,
        body,
        Array.from({ length: 50 }, () => random.whole(0, 14)),
      ),
  ])();
}

function randomSealing(random: SeededRandom): Sealing {
  return {
    protection: random.pick(['SEIPDv1', 'SEIPDv1', 'SEIPDv2', 'AEAD']),
    cipher: random.pick(['aes256', 'aes256', 'aes128']),
    mode: random.pick(['ocb', 'gcm']),
    chunkSizeByte: random.pick([0, 4, 10]),
  };
}

describe('openpgp.js and the step agree', () => {
  test('on the bytes and the signer of many messages', async () => {
    const random = seededRandom('messages');
    const expectSigned = { signers: [vendorKey.publicKey] };
    const withSigner = await makeStep('decrypt', { keys: [receivingKey.privateKey], expectSigned });
    for (let round = 0; round < 40; round++) {
      const message = await sealed(await randomPackets(random), randomSealing(random));
      const theirs = await byLibrary(message);
      expect(theirs, `round ${round}`).toBeDefined();
      const ours = await byStep(theirs?.signedBy === null ? step : withSigner, message);
      expect(ours?.bytes.equals(theirs?.bytes as Buffer), `round ${round}`).toBe(true);
      expect(ours?.signedBy, `round ${round}`).toBe(theirs?.signedBy);
    }
  });

  test('on what is inside: what the step accepts, the library reads alike', async () => {
    const random = seededRandom('inside');
    const content = Buffer.from(random.text(600, 'ab\n'));
    const signed = await sign({
      message: await createMessage({ binary: new Uint8Array(content), date }),
      signingKeys: [...signing],
      date,
      format: 'binary',
    });
    const bases = [
      Buffer.from(signed as Uint8Array),
      inParts(11, literalBody(content), [3, 9]),
      packet(8, compressedBody(literal(content), 'none')),
      packet(8, compressedBody(Buffer.from(signed as Uint8Array), 'zlib')),
      oldPacket(8, compressedBody(Buffer.concat([packet(10, 'PGP'), literal(content)]), 'zip'), 0),
    ];
    let accepted = 0;
    for (let round = 0; round < 500; round++) {
      const inner = mutant(random.pick(bases), random);
      const message = await sealed(inner, round % 3 === 0 ? randomSealing(random) : SEIPD1);
      const ours = await byStep(step, message);
      if (ours === undefined) continue;
      accepted += 1;
      const theirs = await byLibrary(message);
      expect(theirs?.bytes.equals(ours.bytes), `round ${round}: ${inner.toString('hex')}`).toBe(
        true,
      );
    }
    expect(accepted).toBeGreaterThan(20);
  });
});

test('of thousands of changed messages none gives other bytes', async () => {
  const random = seededRandom('outside');
  const content = randomBytes(700);
  for (const protection of ['SEIPDv1', 'SEIPDv2', 'AEAD'] as const) {
    const packets = packet(8, compressedBody(literal(content), 'zlib'));
    const good = await sealed(packets, { ...SEIPD1, protection });
    for (let round = 0; round < 400; round++) {
      // Mostly the last third: the beginning is the wrapped key.
      const from = random.chance(0.8) ? good.length - 760 : 0;
      const bad = random.chance(0.3)
        ? tamperedAt(good, random.whole(from, good.length - 1), 1 << random.whole(0, 7))
        : Buffer.concat([good.subarray(0, from), mutant(good.subarray(from), random)]);
      const outcome = await byStep(step, bad);
      expect(outcome === undefined || outcome.bytes.equals(content), `${protection} ${round}`).toBe(
        true,
      );
    }
  }
});
