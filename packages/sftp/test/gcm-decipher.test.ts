import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Client } from 'ssh2';
import { expect, test } from 'vitest';
import { GcmDecipher, type PacketDecipher } from '../src/gcm-decipher.ts';
import { decryptOurselves } from '../src/own-decryption.ts';

/** What ssh2 itself has for the same packets. */
interface Ssh2Crypto {
  readonly CIPHER_INFO: { readonly [name: string]: unknown };
  createCipher(config: unknown): {
    encrypt(packet: Buffer): void;
    allocPacket(length: number): Buffer;
  };
  createDecipher(config: unknown): PacketDecipher;
  readonly init: Promise<void>;
}
const ssh2 = createRequire(import.meta.url)('ssh2/lib/protocol/crypto.js') as Ssh2Crypto;
await ssh2.init;

const CIPHERS = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'];

function keys(cipher: string): { key: Buffer; iv: Buffer } {
  // The last byte of the counter overflows after a few packets, and so do those before it.
  const iv = Buffer.concat([randomBytes(4), Buffer.from('00fffffffffffffd', 'hex')]);
  return { key: randomBytes(cipher.startsWith('aes128') ? 16 : 32), iv };
}

function sealed(
  cipher: string,
  { key, iv }: ReturnType<typeof keys>,
  payloads: readonly Buffer[],
): Buffer {
  const out: Buffer[] = [];
  const sealing = ssh2.createCipher({
    outbound: {
      seqno: 0,
      onWrite: (bytes: Buffer) => out.push(Buffer.from(bytes)),
      cipherInfo: ssh2.CIPHER_INFO[cipher],
      cipherKey: Buffer.from(key),
      cipherIV: Buffer.from(iv),
    },
  });
  for (const payload of payloads) {
    const packet = sealing.allocPacket(payload.length);
    packet.set(payload, 5);
    sealing.encrypt(packet);
  }
  return Buffer.concat(out);
}

function libraryDecipher(cipher: string, { key, iv }: ReturnType<typeof keys>): PacketDecipher {
  return ssh2.createDecipher({
    inbound: {
      seqno: 0,
      onPayload: () => undefined,
      decipherInfo: ssh2.CIPHER_INFO[cipher],
      decipherKey: Buffer.from(key),
      decipherIV: Buffer.from(iv),
    },
  });
}

function opening(cipher: string, secret: ReturnType<typeof keys>) {
  const decipher = GcmDecipher.insteadOf(libraryDecipher(cipher, secret));
  if (decipher === undefined) throw new Error(`not taken over: ${cipher}`);
  const payloads: Buffer[] = [];
  decipher._onPayload = (payload) => void payloads.push(payload);
  return { decipher, payloads };
}

/** Cut at random, in buffers that are overwritten afterwards. */
function feed(decipher: PacketDecipher, bytes: Buffer, most: number): void {
  for (let at = 0; at < bytes.length;) {
    const piece = Buffer.from(bytes.subarray(at, at + 1 + Math.floor(Math.random() * most)));
    decipher.decrypt(piece, 0, piece.length);
    at += piece.length;
    piece.fill(0);
  }
}

test.each(CIPHERS)('%s: packets come out whole, wherever the network cuts them', (cipher) => {
  const payloads = [1, 5, 11, 12, 13, 32_768, 100, 32_777, 4000, 1].map((bytes) =>
    randomBytes(bytes),
  );
  for (const most of [1, 7, 100, 30_000, 300_000]) {
    const secret = keys(cipher);
    const opened = opening(cipher, secret);
    feed(opened.decipher, sealed(cipher, secret, payloads), most);
    expect(opened.payloads.map((one) => one.toString('hex'))).toEqual(
      payloads.map((one) => one.toString('hex')),
    );
    expect(opened.decipher.inSeqno).toBe(payloads.length);
  }
});

test('nothing of a packet is handed on when any byte of it was changed', () => {
  const [cipher = ''] = CIPHERS;
  const payload = randomBytes(60);
  const secret = keys(cipher);
  const bytes = sealed(cipher, secret, [payload]);
  for (let at = 0; at < bytes.length; at += 1) {
    const { decipher, payloads } = opening(cipher, secret);
    const changed = Buffer.from(bytes);
    changed[at]! ^= 0x10;
    // A changed length makes it wait for more, which then is wrong.
    const more = Buffer.concat([changed, Buffer.alloc(40_000)]);
    expect(() => feed(decipher, more, 1000)).toThrow(/unable to authenticate|Bad packet length/);
    expect(payloads).toEqual([]);
  }
});

test('a length that no packet has is refused before anything is kept', () => {
  const [cipher = ''] = CIPHERS;
  for (const length of [0, 8, 17, 35_008, 2 ** 31]) {
    const { decipher } = opening(cipher, keys(cipher));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    expect(() => decipher.decrypt(head, 0, 4)).toThrow('Bad packet length');
  }
});

test('whoever takes payloads can stop between two packets', () => {
  const [cipher = ''] = CIPHERS;
  const secret = keys(cipher);
  const bytes = sealed(cipher, secret, [randomBytes(20), randomBytes(20)]);
  const { decipher } = opening(cipher, secret);
  decipher._onPayload = () => false;
  expect(decipher.decrypt(bytes, 0, bytes.length)).toBe(bytes.length / 2);
  expect(decipher.decrypt(bytes, bytes.length / 2, bytes.length)).toBe(bytes.length);
});

test('the decipher of every further key exchange is replaced, too', () => {
  const [cipher = ''] = CIPHERS;
  const protocol = { _decipher: libraryDecipher(cipher, keys(cipher)) };
  const client = { _protocol: protocol } as unknown as Client;
  expect(decryptOurselves(client)).toBe('own');
  const first = protocol._decipher;
  expect(first).toBeInstanceOf(GcmDecipher);
  protocol._decipher = libraryDecipher(cipher, keys(cipher));
  expect(protocol._decipher).toBeInstanceOf(GcmDecipher);
  expect(protocol._decipher).not.toBe(first);
});

test('what is not known is left to the library', () => {
  const other = { inSeqno: 0, _onPayload: () => undefined, decrypt: () => undefined, free() {} };
  const protocol = { _decipher: other };
  expect(decryptOurselves({ _protocol: protocol } as unknown as Client)).toBe('library');
  expect(protocol._decipher).toBe(other);
  expect(decryptOurselves({} as unknown as Client)).toBe('library');
});
