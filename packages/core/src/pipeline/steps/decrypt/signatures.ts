import { createHash, randomBytes, type Hash } from 'node:crypto';
import {
  createMessage,
  readSignature,
  Signature,
  SignaturePacket,
  PacketList,
  verify,
  type PublicKey,
} from 'openpgp';
import { decryptFailed } from './failed.ts';
import { notBuffer, OPENPGP } from './library.ts';
import { withCrlf } from './with-crlf.ts';

/** Each may want a hash of the whole content: this bounds the work that a sender can ask for. */
const MAX_SIGNATURES = 32;

/**
 * Node's names, and the length of the salt of a version 6 signature, by RFC 9580, 9.5. MD5, SHA-1 and RIPEMD are left
 * out: the library lets no signature of a message with them hold.
 */
const HASHES: { readonly [id: number]: readonly [name: string, saltBytes: number] } = {
  8: ['sha256', 16],
  9: ['sha384', 24],
  10: ['sha512', 32],
  11: ['sha224', 16],
  12: ['sha3-256', 16],
  14: ['sha3-512', 32],
};

/** What has to be known about a signature before the content comes. */
interface Claim {
  /** 16 hex digits. */
  readonly keyId: string;
  readonly type: number;
  readonly hashId: number;
  /** Set in a one-pass packet: what the signature at the end must repeat. */
  readonly onePass?: { readonly version: number; readonly publicKeyAlgorithm: number | null };
  /** Of version 6. */
  readonly fingerprint?: string;
  readonly salt?: Uint8Array;
}

/** RFC 9580, 5.2.1. Only these are about content. */
const TYPE = { binary: 0, text: 1 } as const;

interface Slot {
  /** `undefined` for a version of the packet that we do not know: it counts, but cannot hold. */
  readonly claim: Claim | undefined;
  signature?: SignaturePacket | undefined;
}

/**
 * The signatures of one content: announced by one-pass packets before it, or complete there. The hashing is ours;
 * whether a signature holds, for its key and at its time, is said by openpgp.js.
 */
export class Signatures {
  readonly #signers: readonly PublicKey[];
  readonly #slots: Slot[] = [];
  /** One-pass packets whose signature has not come; the last announced comes first. */
  readonly #open: Slot[] = [];
  readonly #hashes = new Map<string, { readonly hash: Hash; readonly text: boolean }>();
  #lastWasCr = false;

  /** @param signers whose signatures matter; the others are not computed */
  constructor(signers: readonly PublicKey[]) {
    this.#signers = signers;
  }

  /** Key ids that the message says it is signed by, before the content. */
  get claimed(): readonly string[] {
    return this.#order().flatMap(({ claim }) =>
      claim === undefined || !isOfMessage(claim.type) ? [] : [claim.keyId],
    );
  }

  /** @param packet its body */
  announce(packet: Uint8Array): void {
    const slot: Slot = { claim: onePassClaim(Buffer.from(packet)) };
    this.#open.push(slot);
    this.#add(slot);
  }

  /**
   * A signature that stands before the content (RFC 1991 had them there).
   * @param packet with its header
   */
  async before(packet: Uint8Array): Promise<void> {
    const signature = await parsed(packet);
    this.#add({ claim: signature && claimOf(signature), signature });
  }

  /** A signature after the content, which must have been announced. @param packet with its header */
  async after(packet: Uint8Array): Promise<void> {
    const slot = this.#open.pop();
    if (slot === undefined) throw decryptFailed(new Error('a signature that was not announced'));
    slot.signature = await parsed(packet);
  }

  /** The next bytes of the content. */
  update(content: Uint8Array): void {
    if (this.#hashes.size === 0) return;
    const texts = [...this.#hashes.values()].filter(({ text }) => text);
    for (const { hash, text } of this.#hashes.values()) if (!text) hash.update(content);
    if (texts.length === 0) return;
    const canonical = withCrlf(content, this.#lastWasCr);
    this.#lastWasCr = content.length === 0 ? this.#lastWasCr : content.at(-1) === 0x0d;
    for (const { hash } of texts) hash.update(canonical);
  }

  /** @throws PluginError `integrity` when a signature that was announced is missing */
  end(): void {
    if (this.#open.length > 0) throw decryptFailed(new Error('an announced signature is missing'));
  }

  /** Fingerprint of the first signer whose signature holds. */
  async firstSigner(date: Date): Promise<string | undefined> {
    for (const slot of this.#order()) {
      const signer = this.#signers.find((one) => hasKey(one, slot.claim?.keyId));
      if (signer !== undefined && (await this.#holds(slot, date))) return signer.getFingerprint();
    }
    return undefined;
  }

  /** As the signatures stand in the file: the reverse of their announcements. */
  #order(): readonly Slot[] {
    return this.#slots.toReversed();
  }

  #add(slot: Slot): void {
    if (this.#slots.push(slot) > MAX_SIGNATURES)
      throw decryptFailed(new Error('too many signatures'));
    const { claim } = slot;
    if (claim === undefined || !isOfMessage(claim.type)) return;
    const [name, saltBytes] = HASHES[claim.hashId] ?? [];
    const saltFits = claim.salt === undefined || claim.salt.length === saltBytes;
    if (name === undefined || !saltFits || this.#hashes.has(hashKey(claim))) return;
    if (!this.#signers.some((one) => hasKey(one, claim.keyId))) return;
    const hash = createHash(name).update(claim.salt ?? new Uint8Array());
    this.#hashes.set(hashKey(claim), { hash, text: claim.type === TYPE.text });
  }

  async #holds({ claim, signature }: Slot, date: Date): Promise<boolean> {
    if (claim === undefined || signature === undefined) return false;
    const hash = this.#hashes.get(hashKey(claim))?.hash;
    if (hash === undefined || !sameClaim(claim, signature)) return false;
    const digest = hash.copy().update(ending(signature)).digest();
    return await holdsFor(signature, digest, this.#signers, date);
  }
}

/**
 * The library takes a digest that was computed beforehand from `hashed`, where its own one-pass packets put it. Did it
 * not, it would hash the message given here, which nobody can have signed.
 */
async function holdsFor(
  signature: SignaturePacket,
  digest: Uint8Array,
  signers: readonly PublicKey[],
  date: Date,
): Promise<boolean> {
  const packets = new PacketList<SignaturePacket>();
  packets.push(Object.assign(signature, { hashed: notBuffer(digest) }));
  const { signatures } = await verify({
    message: await createMessage({ binary: notBuffer(randomBytes(32)) }),
    signature: new Signature(packets),
    verificationKeys: [...signers],
    format: 'binary',
    date,
    config: OPENPGP,
  });
  const [verified] = signatures;
  return verified !== undefined && (await verified.verified.catch(() => false));
}

/** What is hashed after the content (RFC 9580, 5.2.4). */
function ending({ signatureData, version }: SignaturePacket): Buffer {
  const hashed = Buffer.from(signatureData ?? []);
  const trailer = Buffer.from([version, 0xff, 0, 0, 0, 0]);
  trailer.writeUInt32BE(hashed.length, 2);
  return Buffer.concat([hashed, trailer]);
}

/** `undefined` for a version that the library does not know. */
async function parsed(binary: Uint8Array): Promise<SignaturePacket | undefined> {
  try {
    const signature = await readSignature({ binarySignature: notBuffer(binary), config: OPENPGP });
    return signature.packets.find((packet) => packet instanceof SignaturePacket);
  } catch (error) {
    throw decryptFailed(error);
  }
}

/** RFC 9580, 5.4. */
function onePassClaim(packet: Buffer): Claim | undefined {
  const [version, type = 0, hashId = 0, publicKeyAlgorithm = 0, saltBytes = 0] = packet;
  if (version !== 3 && version !== 6) return undefined;
  if (packet.length !== (version === 3 ? 13 : 38 + saltBytes)) {
    throw decryptFailed(new Error('a one-pass signature of impossible length'));
  }
  const onePass = { version, publicKeyAlgorithm };
  if (version === 3) return { type, hashId, onePass, keyId: packet.toString('hex', 4, 12) };
  const fingerprint = packet.toString('hex', 5 + saltBytes, 37 + saltBytes);
  const salt = packet.subarray(5, 5 + saltBytes);
  return { type, hashId, onePass, salt, fingerprint, keyId: fingerprint.slice(0, 16) };
}

function claimOf(packet: SignaturePacket): Claim {
  const salt = saltOf(packet);
  return {
    keyId: packet.issuerKeyID.toHex(),
    type: packet.signatureType ?? -1,
    hashId: packet.hashAlgorithm ?? -1,
    ...(salt === undefined ? {} : { salt }),
  };
}

function sameClaim(claim: Claim, packet: SignaturePacket): boolean {
  const { onePass, fingerprint } = claim;
  const found = claimOf(packet);
  return (
    found.keyId === claim.keyId &&
    hashKey(found) === hashKey(claim) &&
    (onePass === undefined || (onePass.version === 6) === (packet.version === 6)) &&
    (onePass === undefined || onePass.publicKeyAlgorithm === packet.publicKeyAlgorithm) &&
    (fingerprint === undefined ||
      fingerprint === Buffer.from(packet.issuerFingerprint ?? []).toString('hex'))
  );
}

/** The library's types leave it out. */
function saltOf(packet: SignaturePacket): Uint8Array | undefined {
  return (packet as { readonly salt?: Uint8Array | null }).salt ?? undefined;
}

function hashKey({ hashId, type, salt }: Claim): string {
  return `${hashId} ${type} ${Buffer.from(salt ?? []).toString('hex')}`;
}

function isOfMessage(type: number): boolean {
  return type === TYPE.binary || type === TYPE.text;
}

function hasKey(key: PublicKey, keyId: string | undefined): boolean {
  return key.getKeyIDs().some((one) => one.toHex() === keyId);
}
