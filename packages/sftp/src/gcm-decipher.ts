/**
 * Decrypts the packets of an SSH connection with AES-GCM (RFC 5647), in place of ssh2's own code for it in JavaScript: that
 * begins a decryption with each piece of a packet that comes from the network, and takes no packet of more than 35,000 bytes.
 * This one collects a packet and decrypts it at once, however large it is.
 *
 * Nothing of a packet is handed on before its tag was found right.
 */
import { createDecipheriv } from 'node:crypto';

/** What ssh2 asks of whoever decrypts. */
export interface PacketDecipher {
  /** How many packets came; ssh2 sets it to 0 in a strict key exchange. */
  inSeqno: number;
  /** Where payloads go; ssh2 puts the key exchange here while there is one. */
  _onPayload: (payload: Buffer) => number | false | undefined;
  /** @returns how far it came when `_onPayload` wants to stop, else undefined */
  decrypt(data: Buffer, from: number, to: number): number | undefined;
  free(): void;
}

/** An ssh2 decipher for AES-GCM without the native addon, as far as we know its inside. */
interface Ssh2GcmDecipher extends PacketDecipher {
  readonly _decipherSSLName: 'aes-128-gcm' | 'aes-256-gcm';
  readonly _decipherKey: Buffer;
  readonly _decipherIV: Buffer;
  /** More than 0 in the middle of a packet. */
  readonly _lenBytes: number;
}

export class GcmDecipher implements PacketDecipher {
  inSeqno: number;
  _onPayload: PacketDecipher['_onPayload'];
  readonly #name: Ssh2GcmDecipher['_decipherSSLName'];
  readonly #key: Buffer;
  readonly #iv: Buffer;
  /** Length, ciphertext and tag of one packet. */
  readonly #packet = Buffer.allocUnsafeSlow(MOST_BYTES);
  #filled = 0;
  /** Of the whole packet, in bytes; 0 while its length is not known. */
  #wanted = 0;

  /** In place of ssh2's between two packets, when that is what we know; else undefined. */
  static insteadOf(decipher: PacketDecipher): GcmDecipher | undefined {
    return isSsh2Gcm(decipher) ? new GcmDecipher(decipher) : undefined;
  }

  private constructor(decipher: Ssh2GcmDecipher) {
    this.inSeqno = decipher.inSeqno;
    this._onPayload = decipher._onPayload;
    this.#name = decipher._decipherSSLName;
    this.#key = decipher._decipherKey;
    this.#iv = decipher._decipherIV;
  }

  free(): void {}

  decrypt(data: Buffer, from: number, to: number): number | undefined {
    for (let at = from; at < to;) {
      if (this.#wanted === 0)
        at += this.#collect(data, at, Math.min(to, at + LENGTH - this.#filled));
      if (this.#wanted === 0) return undefined;
      const rest = this.#wanted - this.#filled;
      const whole = this.#filled === LENGTH && to - at >= rest;
      if (whole) at += rest;
      else at += this.#collect(data, at, Math.min(to, at + rest));
      if (!whole && this.#filled < this.#wanted) return undefined;
      const stop = this._onPayload(this.#open(whole ? data.subarray(at - rest, at) : undefined));
      if (stop !== undefined) return stop === false ? at : stop;
    }
    return undefined;
  }

  /** Keeps the bytes, and reads the length once it is there. Returns how many they were. */
  #collect(data: Buffer, from: number, to: number): number {
    data.copy(this.#packet, this.#filled, from, to);
    this.#filled += to - from;
    if (this.#wanted === 0 && this.#filled === LENGTH) this.#expect(this.#packet.readUInt32BE(0));
    return to - from;
  }

  #expect(length: number): void {
    const bytes = LENGTH + length + TAG;
    if (bytes > MOST_BYTES || length < BLOCK || length % BLOCK !== 0) {
      throw new Error('Bad packet length');
    }
    this.#wanted = bytes;
  }

  /**
   * The payload of the packet that has come. @param sealed its ciphertext and tag, where they were not collected
   * @throws Error when the tag is wrong
   */
  #open(sealed: Buffer = this.#packet.subarray(LENGTH, this.#wanted)): Buffer {
    const decipher = createDecipheriv(this.#name, this.#key, this.#iv, GCM_TAG);
    decipher.setAAD(this.#packet.subarray(0, LENGTH));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
    const plain = decipher.update(sealed.subarray(0, sealed.length - TAG));
    decipher.final();
    this.inSeqno = (this.inSeqno + 1) >>> 0;
    increment(this.#iv);
    this.#filled = 0;
    this.#wanted = 0;
    const padding = plain[0] as number;
    return plain.subarray(1, Math.max(1, plain.length - padding));
  }
}

/** RFC 5647, 7.1: the last eight bytes of the nonce count the packets. */
function increment(iv: Buffer): void {
  for (let at = 11; at >= 4; at--) {
    iv[at] = ((iv[at] as number) + 1) & 0xff;
    if (iv[at] !== 0) return;
  }
}

function isSsh2Gcm(decipher: PacketDecipher): decipher is Ssh2GcmDecipher {
  const { _decipherSSLName, _decipherKey, _decipherIV, _lenBytes } =
    decipher as Partial<Ssh2GcmDecipher>;
  return (
    (_decipherSSLName === 'aes-128-gcm' || _decipherSSLName === 'aes-256-gcm') &&
    Buffer.isBuffer(_decipherKey) &&
    Buffer.isBuffer(_decipherIV) &&
    _decipherIV.length === 12 &&
    _lenBytes === 0
  );
}

const LENGTH = 4;
const TAG = 16;
const BLOCK = 16;
/** ssh2's own limit, length and tag included; it asks for 32 KiB of content. */
const MOST_BYTES = 35_000;
const GCM_TAG = { authTagLength: TAG };
