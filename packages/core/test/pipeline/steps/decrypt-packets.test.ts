import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { receivingKey, strangerKey, vendorKey } from '@octo/plugin-testing';
import {
  createMessage,
  encryptSessionKey,
  readKey,
  readPrivateKey,
  sign,
  type PrivateKey,
} from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  compressedBody,
  inParts,
  literal,
  literalBody,
  oldPacket,
  packet,
  sealed,
  type Sealing,
  SEIPD1,
} from './sealed-packets.ts';
import { makeStep, refusal, type RunOptions, runStep } from './step-harness.ts';
import type { Step } from '../../../src/pipeline/step.ts';

const text = Buffer.from(
  Array.from({ length: 4000 }, (_, row) => `${row},K3PD,${row}.00\n`).join(''),
);
/** A literal packet of 500 lines, compressed by bzip2 1.0.8. */
const rowsByBzip2 = Buffer.from(
  'QlpoOTFBWSZTWfLnZwMAA+zBhuCQEACQgAAIAQAAAKAAMQDTTQJqpDRieYuYrVIObpB7ooN0gxvn4u5IpwoSHlzs4GA=',
  'base64',
);
const marker = packet(10, 'PGP');
const padding = packet(21, randomBytes(300));
const unknown = packet(60, 'of a program that is yet to be written');
const loose: RunOptions = { limits: { maxRatio: 1e9 } };

let step: Step;
let signedOnly: Step;
let vendor: PrivateKey;
beforeAll(async () => {
  const keys = [receivingKey.privateKey];
  step = await makeStep('decrypt', { keys });
  signedOnly = await makeStep('decrypt', {
    keys,
    expectSigned: { signers: [vendorKey.publicKey] },
  });
  vendor = await readPrivateKey({ armoredKey: vendorKey.privateKey });
});

/** One-pass signature, literal and signature, each as a packet. */
async function signedPackets(content: Uint8Array, key = vendor, message?: string) {
  const signed = await sign({
    message:
      message === undefined
        ? await createMessage({ binary: new Uint8Array(content), date })
        : await createMessage({ text: message, date }),
    signingKeys: key,
    date,
    format: 'object',
  });
  const [onePass, data, signature] = signed.packets.map((one) => Buffer.from(written(one)));
  return {
    onePass: packet(4, onePass!),
    data: packet(11, data!),
    signature: packet(2, signature!),
  };
}

/** The library's types leave it out. */
function written(one: unknown): Uint8Array {
  return (one as { write(): Uint8Array }).write();
}

const date = new Date('2026-01-01T00:00:00Z');

describe('a literal packet comes out as it was written', () => {
  const ways: readonly (readonly [string, Buffer])[] = [
    ['with a length of one byte', oldPacket(11, literalBody(text.subarray(0, 100)), 1)],
    ['with a length of two bytes', oldPacket(11, literalBody(text.subarray(0, 5000)), 2)],
    ['with a length of four bytes', oldPacket(11, literalBody(text), 4)],
    ['up to the end of the container', oldPacket(11, literalBody(text), 0)],
    ['in parts', inParts(11, literalBody(text), [9, 13, 0, 1, 15])],
    ['in parts of one byte', inParts(11, literalBody(text.subarray(0, 3000)), Array(9999).fill(0))],
    ['as text', packet(11, literalBody(text, 't'))],
    ['as UTF-8, with a file name', packet(11, literalBody(text, 'u', '../../etc/passwd'))],
    ['as a part of a mail', packet(11, literalBody(text, 'm'))],
    ['compressed by ZIP', packet(8, compressedBody(literal(text), 'zip'))],
    ['compressed by ZLIB, in parts', inParts(8, compressedBody(literal(text), 'zlib'), [9, 10, 9])],
    ['compressed up to the end', oldPacket(8, compressedBody(literal(text), 'zip'), 0)],
    ['compressed not at all', packet(8, compressedBody(literal(text), 'none'))],
    [
      'between markers, padding, and packets that are not critical',
      Buffer.concat([marker, padding, unknown, literal(text), unknown, padding]),
    ],
    [
      'beside markers in a compressed packet',
      packet(8, compressedBody(Buffer.concat([marker, literal(text), padding]), 'zip')),
    ],
  ];
  test.each(ways)('%s', async (_, packets) => {
    for (const protection of ['SEIPDv1', 'SEIPDv2', 'AEAD'] as const) {
      const { contents } = await runStep(step, await sealed(packets, { ...SEIPD1, protection }));
      const bytes = contents[0]?.bytes as Buffer;
      expect(bytes.length).toBeGreaterThan(99);
      expect(bytes.equals(text.subarray(0, bytes.length)), `in ${protection}`).toBe(true);
    }
  });

  test('compressed by BZIP2', async () => {
    const message = await sealed(packet(8, Buffer.concat([Buffer.from([3]), rowsByBzip2])));
    const { contents } = await runStep(step, message, loose);
    expect(contents[0]?.bytes.toString()).toBe('row\n'.repeat(500));
  });
});

// AES-192 only with gpg, in the conformance tests: the key of these tests does not ask for it.
describe('with every cipher and mode', () => {
  const sealings: readonly Sealing[] = [
    ...(['aes128', 'aes256', 'tripledes', 'cast5'] as const).map((cipher) => ({
      ...SEIPD1,
      cipher,
    })),
    ...(['SEIPDv2', 'AEAD'] as const).flatMap((protection) =>
      (['ocb', 'gcm', 'eax'] as const).flatMap((mode) =>
        (['aes128', 'aes256'] as const).map((cipher) => ({
          protection,
          mode,
          cipher,
          chunkSizeByte: 2,
        })),
      ),
    ),
  ];
  test.each(sealings.map((sealing) => [Object.values(sealing).join(' '), sealing] as const))(
    '%s',
    async (_, sealing) => {
      // Around the end of a batch and of a chunk, where something has to be held back.
      for (const bytes of [0, 1, 255, 256, 65_507, 65_529, 65_530, 65_536, 131_100]) {
        const content = randomBytes(bytes);
        const { contents } = await runStep(step, await sealed(literal(content), sealing));
        expect(contents[0]?.bytes.equals(content), `${bytes} bytes`).toBe(true);
      }
    },
  );
});

describe('what no sender writes is refused, however right its proof is', () => {
  const onePass = packet(4, Buffer.from('03000801010203040506070801', 'hex'));
  const bomb = (tag: number) =>
    compressedBody(Buffer.concat([packet(tag, Buffer.alloc(4e6)), literal(text)]), 'zlib');
  const ways: readonly (readonly [string, () => Uint8Array])[] = [
    ['nothing', () => Buffer.alloc(0)],
    ['only a marker', () => marker],
    ['two contents', () => Buffer.concat([literal(text), literal(text)])],
    [
      'a content and a compressed one',
      () => Buffer.concat([literal(text), packet(8, compressedBody(literal(text), 'zip'))]),
    ],
    [
      'two compressed packets',
      () =>
        Buffer.concat([
          packet(8, compressedBody(literal(text), 'zip')),
          packet(8, compressedBody(literal(text), 'zip')),
        ]),
    ],
    [
      'a compressed packet in a compressed packet',
      () => packet(8, compressedBody(packet(8, compressedBody(literal(text), 'zip')), 'zip')),
    ],
    ['another encrypted container', () => packet(18, randomBytes(100))],
    ['a critical packet that nobody knows', () => Buffer.concat([packet(39, 'x'), literal(text)])],
    [
      'a content that ends before its length',
      () => packet(11, literalBody(text), text.length + 100),
    ],
    ['a content of 4 GiB, by its header', () => packet(11, literalBody(text), 0xffffffff)],
    [
      'a content whose last part is missing',
      () => inParts(11, literalBody(text), [9, 10]).subarray(0, 1540),
    ],
    ['a content without a head', () => packet(11, 'b')],
    ['bytes after the content', () => Buffer.concat([literal(text), Buffer.from('x')])],
    ['a signature of 4 GiB, by its header', () => packet(2, 'x', 0xffffffff)],
    [
      'a signature in parts',
      () => Buffer.concat([inParts(2, randomBytes(2000), [9]), literal(text)]),
    ],
    [
      'a signature that is none',
      () => Buffer.concat([packet(2, Buffer.from([4, 0, 1, 8])), literal(text)]),
    ],
    [
      'a one-pass packet that is too short',
      () => Buffer.concat([packet(4, Buffer.from([3, 0, 8])), literal(text)]),
    ],
    [
      'a signature that was announced and is missing',
      () => Buffer.concat([onePass, literal(text)]),
    ],
    [
      'more signatures than any message has',
      () => Buffer.concat([...Array<Buffer>(40).fill(onePass), literal(text)]),
    ],
    [
      'more markers than any message has',
      () => Buffer.concat([...Array<Buffer>(300).fill(marker), literal(text)]),
    ],
    ['padding that weighs nothing', () => packet(8, bomb(21))],
    ['a packet of the future that weighs nothing', () => packet(8, bomb(60))],
    [
      'markers that weigh nothing',
      () => packet(8, compressedBody(Buffer.concat(Array<Buffer>(1e6).fill(marker)), 'zip')),
    ],
    ['a marker without an end', () => Buffer.concat([literal(text), oldPacket(10, text, 0)])],
    ['a compression that nobody knows', () => packet(8, Buffer.concat([Buffer.from([110]), text]))],
    [
      'compressed data that ends too early',
      () => packet(8, compressedBody(literal(text), 'zlib').subarray(0, -5)),
    ],
    [
      'compressed data with bytes behind it',
      () => packet(8, Buffer.concat([compressedBody(literal(text), 'zip'), text])),
    ],
    ['compressed data of no bytes', () => packet(8, Buffer.from([1]))],
    [
      'a wrong checksum of compressed data',
      () => {
        const body = compressedBody(literal(text), 'zlib');
        body[body.length - 1]! ^= 1;
        return packet(8, body);
      },
    ],
    ['no bzip2 where it is said', () => packet(8, Buffer.concat([Buffer.from([3]), text]))],
  ];
  test.each(ways)('%s', async (_, packets) => {
    for (const protection of ['SEIPDv1', 'SEIPDv2', 'AEAD'] as const) {
      const message = await sealed(packets(), { ...SEIPD1, protection, chunkSizeByte: 10 });
      expect(await refusal(step, message, loose)).toMatchObject({
        type: 'integrity',
        code: 'DECRYPT_FAILED',
      });
    }
  });
});

describe('the proof of SEIPD version 1', () => {
  const MDC = Buffer.from([0xd3, 0x14]);

  test.each([
    ['as it should be', MDC, 0, true],
    ['with another header', Buffer.from([0xd3, 0x15]), 0, false],
    ['of other bytes', MDC, 1, false],
    ['cut off', MDC, 0, false, 1],
  ])('%s', async (_, header, change, accepted, cut = 0) => {
    const prefix = Buffer.alloc(18, 7);
    const body = Buffer.concat([prefix, literal(text), header]);
    const digest = createHash('sha1').update(body).digest();
    digest[19]! ^= change;
    const message = await sealedByHand(
      Buffer.concat([body, digest]).subarray(0, body.length + 20 - cut),
    );
    const outcome = await runStep(step, message).catch((error: unknown) => error);
    expect(outcome).toMatchObject(
      accepted ? { contents: [{ bytes: text }] } : { type: 'integrity', code: 'DECRYPT_FAILED' },
    );
  });
});

async function sealedByHand(plain: Uint8Array): Promise<Buffer> {
  const key = randomBytes(32);
  const cfb = createCipheriv('aes-256-cfb', key, Buffer.alloc(16));
  const wrapped = await encryptSessionKey({
    data: new Uint8Array(key),
    algorithm: 'aes256',
    encryptionKeys: await readKey({ armoredKey: receivingKey.publicKey }),
    format: 'binary',
  });
  return Buffer.concat([wrapped, packet(18, Buffer.concat([Buffer.from([1]), cfb.update(plain)]))]);
}

describe('the proof of AEAD', () => {
  test.each(['SEIPDv2', 'AEAD'] as const)(
    'in %s holds for all chunks in their order',
    async (protection) => {
      // A content without a length of its own, so that only the proof can tell that some is missing.
      const packets = oldPacket(11, literalBody(randomBytes(2000)), 0);
      const good = await sealed(packets, { ...SEIPD1, protection });
      const sealedChunk = 64 + 16;
      const end = good.length - 16;
      const [first, second] = [end - 10 * sealedChunk, end - 9 * sealedChunk];
      const piece = (from: number, to?: number) => good.subarray(from, to);
      const chunk = (from: number) => piece(from, from + sealedChunk);
      // The last chunk is shorter: these are moved so that they begin where a chunk does.
      const lastBytes = packets.length % 64;
      const shift = sealedChunk - (lastBytes + 16);
      const [one, two] = [first + shift, second + shift];
      const without = (body: Buffer) => Buffer.concat([resized(good, body.length), body]);
      for (const body of [
        Buffer.concat([piece(bodyStart(good), end - lastBytes - 16), piece(end)]),
        Buffer.concat([
          piece(bodyStart(good), one),
          chunk(two),
          chunk(one),
          piece(two + sealedChunk),
        ]),
        Buffer.concat([piece(bodyStart(good), one), piece(two)]),
        Buffer.concat([piece(bodyStart(good), two), piece(one)]),
        piece(bodyStart(good), end),
      ]) {
        expect(await refusal(step, without(body))).toMatchObject({ code: 'DECRYPT_FAILED' });
      }
      const whole = without(piece(bodyStart(good)));
      await expect(runStep(step, whole)).resolves.toHaveProperty('contents');
    },
  );
});

/** Where the body of the last packet begins; its header is the last one of five bytes of length. */
function bodyStart(message: Buffer): number {
  const length = message.length;
  for (let at = 0; at < length - 6; at++) {
    const fits = [0xd2, 0xd4].includes(message[at] as number) && message[at + 1] === 0xff;
    if (fits && message.readUInt32BE(at + 2) === length - at - 6) return at + 6;
  }
  throw new Error('no container');
}

/** All before the body, with another length of it. */
function resized(message: Buffer, length: number): Buffer {
  const head = Buffer.from(message.subarray(0, bodyStart(message)));
  head.writeUInt32BE(length, head.length - 4);
  return head;
}

describe('a signature', () => {
  test('counts for its content only, also beside an empty content that was signed', async () => {
    const empty = await signedPackets(new Uint8Array());
    const good = await signedPackets(text);
    const accepted = await runStep(
      signedOnly,
      await sealed(Buffer.concat([good.onePass, good.data, good.signature])),
    );
    expect(accepted.contents[0]?.bytes.equals(text)).toBe(true);
    for (const packets of [
      [empty.onePass, literal(text), empty.signature],
      [empty.signature, literal(text)],
      [good.onePass, literal(text.subarray(1)), good.signature],
    ]) {
      expect(await refusal(signedOnly, await sealed(Buffer.concat(packets)))).toMatchObject({
        code: 'SIGNATURE',
      });
    }
  });

  test('may stand before the content', async () => {
    const { signature } = await signedPackets(text);
    const { facts } = await runStep(
      signedOnly,
      await sealed(Buffer.concat([signature, literal(text)])),
    );
    expect(facts).toMatchObject({ openpgp: { signedBy: vendorKey.fingerprint.toUpperCase() } });
  });

  test('of a text holds with whatever line ends it was sent', async () => {
    const lines = 'a\nb\r\nc\r\r\n\n\rd\r';
    const { onePass, signature } = await signedPackets(Buffer.alloc(0), vendor, lines);
    for (const sent of [lines, lines.replaceAll(/\r?\n/g, '\r\n')]) {
      for (const exponents of [[], Array<number>(40).fill(0)]) {
        const packets = [onePass, inParts(11, literalBody(sent, 't'), exponents), signature];
        const { contents } = await runStep(signedOnly, await sealed(Buffer.concat(packets)));
        expect(contents[0]?.bytes.toString()).toBe(sent);
      }
    }
    const other = Buffer.concat([onePass, literal('a\nb\nc\n'), signature]);
    expect(await refusal(signedOnly, await sealed(other))).toMatchObject({ code: 'SIGNATURE' });
  });

  test('around a compressed packet is not one of its content', async () => {
    const { onePass, data, signature } = await signedPackets(text);
    const packets = [onePass, packet(8, compressedBody(data, 'zip')), signature];
    expect(await refusal(signedOnly, await sealed(Buffer.concat(packets)))).toMatchObject({
      code: 'SIGNATURE',
    });
  });

  test('that was announced as another, or in a version that nobody knows, does not count', async () => {
    const { onePass, data, signature } = await signedPackets(text);
    const stranger = await readPrivateKey({ armoredKey: strangerKey.privateKey });
    const other = await signedPackets(text, stranger);
    const future = Buffer.from(onePass);
    future[6] = 9;
    for (const packets of [
      [other.onePass, data, signature],
      [onePass, data, other.signature],
      [future, data, signature],
      [onePass, data, packet(2, Buffer.from([9, 0, 1, 8]))],
    ]) {
      expect(await refusal(signedOnly, await sealed(Buffer.concat(packets)))).toMatchObject({
        code: 'SIGNATURE',
      });
    }
  });

  test('announced by one signer and made by another counts for neither', async () => {
    const expectSigned = { signers: [vendorKey.publicKey, strangerKey.publicKey] };
    const both = await makeStep('decrypt', { keys: [receivingKey.privateKey], expectSigned });
    const stranger = await readPrivateKey({ armoredKey: strangerKey.privateKey });
    const { onePass, data } = await signedPackets(text);
    const { signature } = await signedPackets(text, stranger);
    const message = await sealed(Buffer.concat([onePass, data, signature]));
    expect(await refusal(both, message)).toMatchObject({ code: 'SIGNATURE' });
  });

  test('that was not announced is refused after the content', async () => {
    const { data, signature } = await signedPackets(text);
    const message = await sealed(Buffer.concat([data, signature]));
    expect(await refusal(step, message)).toMatchObject({ code: 'DECRYPT_FAILED' });
  });
});
