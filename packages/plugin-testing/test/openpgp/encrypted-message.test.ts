import { decrypt, readMessage, readPrivateKey } from 'openpgp';
import { expect, test } from 'vitest';
import {
  bombMessage,
  encryptedMessage,
  encryptedStream,
  positionsIn,
  receivingKey,
  tamperedAt,
  vendorKey,
} from '../../src/index.ts';

const plain = Buffer.from('date,amount\n2026-01-15,12.50\n');

test.each(['SEIPDv1', 'SEIPDv2', 'AEAD'] as const)(
  'a message with %s is one for openpgp.js, too',
  async (protection) => {
    const message = await encryptedMessage(plain, {
      to: [receivingKey],
      signedBy: [vendorKey],
      protection,
    });
    const { data, signatures } = await opened(message);
    expect(Buffer.from(data).equals(plain)).toBe(true);
    expect(signatures).toHaveLength(1);
  },
);

test('a stream of any size is encrypted piece by piece', async () => {
  let asked = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      asked += 1;
      yield new Uint8Array(64 * 1024);
    }
  }
  let bytes = 0;
  for await (const chunk of encryptedStream(endless(), { to: [receivingKey] })) {
    bytes += chunk.length;
    if (bytes > 1024 * 1024) break;
  }
  expect(asked).toBeLessThan(50);
});

test('a bomb is small and unpacks to what it says', async () => {
  const bomb = await bombMessage(3_000_000, { to: [receivingKey] });
  expect(bomb.length).toBeLessThan(10_000);
  expect((await opened(bomb)).data).toHaveLength(3_000_000);
});

test('a flipped bit changes one byte of a copy, and positions reach from end to end', () => {
  const message = Uint8Array.of(1, 2, 3, 4, 5);
  expect([...tamperedAt(message, 2, 0x80)]).toEqual([1, 2, 0x83, 4, 5]);
  expect(message[2]).toBe(3);
  expect(positionsIn(message, 3)).toEqual([0, 2, 4]);
});

async function opened(binaryMessage: Uint8Array) {
  return decrypt({
    message: await readMessage({ binaryMessage: new Uint8Array(binaryMessage) }),
    decryptionKeys: await readPrivateKey({ armoredKey: receivingKey.privateKey }),
    format: 'binary',
  });
}
