import {
  AEADEncryptedDataPacket,
  createMessage,
  encryptSessionKey,
  enums,
  generateSessionKey,
  Message,
  PacketList,
  readKey,
  readPrivateKey,
  sign,
  SymEncryptedIntegrityProtectedDataPacket,
  SymmetricallyEncryptedDataPacket,
  CompressedDataPacket,
  config as defaults,
  type AnyPacket,
  type Key,
  type SessionKey,
} from 'openpgp';
import type { TestKey } from './public-test-keys.ts';

export interface EncryptedMessageOptions {
  /** Whose public keys wrap the session key. May be empty when `password` is given. */
  readonly to: readonly TestKey[];
  readonly signedBy?: readonly TestKey[];
  /** Default `SEIPDv1`, what most vendors send. `AEAD` is LibrePGP's packet 20; `none` is a packet without MDC. */
  readonly protection?: 'SEIPDv1' | 'SEIPDv2' | 'AEAD' | 'none';
  /** Default: none. `unknown`: of a number that no program knows; with it, what is inside is not the content. */
  readonly compression?: 'zip' | 'zlib' | 'unknown';
  /** Leave out whom it is for. */
  readonly hidden?: boolean;
  readonly password?: string;
  readonly armored?: boolean;
  /** When it was signed. Default 2026-01-01. */
  readonly date?: Date;
}

/** One of the numbers kept for experiments (RFC 9580, 9.4). */
const PRIVATE_ALGORITHM = 110;
const SIGNED_AT = new Date('2026-01-01T00:00:00Z');

/** `plain` as an OpenPGP message, binary unless `armored`. */
export async function encryptedMessage(
  plain: Uint8Array,
  options: EncryptedMessageOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encryptedStream(plain, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same for content of any size: made piece by piece while it is read, with partial lengths. */
export async function* encryptedStream(
  plain: Uint8Array | AsyncIterable<Uint8Array>,
  options: EncryptedMessageOptions,
): AsyncGenerator<Uint8Array> {
  const { aead, container } = emptyContainer(options.protection ?? 'SEIPDv1');
  const sessionKey = { ...(await newSessionKey(options)), ...aead };
  container.packets = (await plainMessage(plain, options)).packets;
  await container.encrypt(enums.symmetric.aes256, sessionKey.data, defaults);
  const wrapped = await encryptSessionKey({
    ...sessionKey,
    encryptionKeys: await publicKeys(options.to),
    ...(options.password === undefined ? {} : { passwords: options.password }),
    wildcard: options.hidden ?? false,
    format: 'object',
  });
  const message = new Message(PacketList.from([...wrapped.packets, container]) as Packets);
  const written = options.armored ? message.armor() : message.write();
  yield* bytesOf(written);
}

type Packets = PacketList<AnyPacket>;
type Written = Uint8Array | string | AsyncIterable<Uint8Array>;

/** The library's types leave out what its packets can do. */
interface Container {
  packets: Packets;
  encrypt(algorithm: number, key: Uint8Array, config: typeof defaults): Promise<unknown>;
}

function emptyContainer(protection: NonNullable<EncryptedMessageOptions['protection']>): {
  aead: { aeadAlgorithm?: 'ocb' };
  container: Container & AnyPacket;
} {
  const container = newContainer(protection);
  if (protection === 'SEIPDv1') Object.assign(container, { version: 1 });
  if (protection === 'SEIPDv2') Object.assign(container, { version: 2 });
  if (protection !== 'SEIPDv1' && protection !== 'none') {
    Object.assign(container, { aeadAlgorithm: enums.aead.ocb });
  }
  return { container, aead: protection === 'SEIPDv2' ? { aeadAlgorithm: 'ocb' } : {} };
}

function newContainer(protection: EncryptedMessageOptions['protection']): Container & AnyPacket {
  let packet: AnyPacket = new SymEncryptedIntegrityProtectedDataPacket();
  if (protection === 'none') packet = new SymmetricallyEncryptedDataPacket();
  if (protection === 'AEAD') packet = new AEADEncryptedDataPacket();
  return packet as unknown as Container & AnyPacket;
}

async function newSessionKey({ to }: EncryptedMessageOptions): Promise<SessionKey> {
  if (to.length > 0) {
    const { data } = await generateSessionKey({ encryptionKeys: await publicKeys(to) });
    return { data, algorithm: 'aes256' };
  }
  return { data: crypto.getRandomValues(new Uint8Array(32)), algorithm: 'aes256' };
}

async function plainMessage(
  plain: Uint8Array | AsyncIterable<Uint8Array>,
  { signedBy = [], compression, protection, date = SIGNED_AT }: EncryptedMessageOptions,
): Promise<Message<Uint8Array>> {
  const inOnePiece = compression === undefined && (protection ?? 'SEIPDv1') === 'SEIPDv1';
  const whole = plain instanceof Uint8Array;
  const binary = whole && inOnePiece ? plain : ReadableStream.from(whole ? [plain] : plain);
  let message: Message<Uint8Array> = await createMessage({ binary: binary as Uint8Array, date });
  if (signedBy.length > 0) {
    const signingKeys = await Promise.all(
      signedBy.map(({ privateKey }) => readPrivateKey({ armoredKey: privateKey })),
    );
    message = await sign({ message, signingKeys, date, format: 'object' });
  }
  if (compression === undefined) return message;
  const packed = Object.assign(
    new CompressedDataPacket(),
    compression === 'unknown'
      ? { algorithm: PRIVATE_ALGORITHM, compressed: ReadableStream.from([new Uint8Array(100_000)]) }
      : { algorithm: enums.compression[compression], packets: message.packets },
  );
  return new Message(PacketList.from<AnyPacket>([packed]) as Packets);
}

function publicKeys(keys: readonly TestKey[]): Promise<Key[]> {
  return Promise.all(keys.map(({ publicKey }) => readKey({ armoredKey: publicKey })));
}

async function* bytesOf(written: Written): AsyncGenerator<Uint8Array> {
  if (typeof written === 'string') yield Buffer.from(written);
  else if (written instanceof Uint8Array) yield written;
  else for await (const chunk of written) yield Buffer.from(chunk);
}
