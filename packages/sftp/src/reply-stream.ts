/**
 * Takes the answers to our reads out of an SFTP channel's bytes and copies them straight to where they belong; everything
 * else goes on to ssh2, which would first put each answer together in a buffer of its own. What is not exactly as it
 * should be goes there as well, and is judged there.
 */

/** Where the answer to one read goes. */
export interface PendingRead {
  /** As long as what was asked for. */
  readonly into: Uint8Array;
  /** Told as the answer comes in, in bytes. */
  arrived(bytes: number): void;
  /** All of it has come. */
  done(bytes: number): void;
}

export interface OtherPackets {
  /** The read with this id, which waits no longer then; undefined when ssh2 is to have the answer, so many bytes long. */
  take(id: number, bytes: number): PendingRead | undefined;
  /** Gets every other packet, in pieces. */
  pass(data: Buffer): void;
}

interface Reply {
  readonly read: PendingRead;
  readonly bytes: number;
  filled: number;
}

export class ReplyStream {
  readonly #packets: OtherPackets;
  /** The beginning of a packet, for as long as it is not known whose it is. */
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** How much of another packet is still to come. */
  #foreignBytes = 0;
  #reply: Reply | undefined;

  constructor(packets: OtherPackets) {
    this.#packets = packets;
  }

  push(data: Buffer): void {
    for (let at = 0; at < data.length;) {
      const rest = data.subarray(at);
      if (this.#foreignBytes > 0) at += this.#pass(rest);
      else if (this.#reply === undefined) at += this.#begin(rest);
      else at += this.#fill(this.#reply, rest);
    }
  }

  #pass(rest: Buffer): number {
    const bytes = Math.min(this.#foreignBytes, rest.length);
    this.#foreignBytes -= bytes;
    this.#packets.pass(rest.subarray(0, bytes));
    return bytes;
  }

  #fill(reply: Reply, rest: Buffer): number {
    const bytes = Math.min(reply.bytes - reply.filled, rest.length);
    reply.read.into.set(rest.subarray(0, bytes), reply.filled);
    reply.filled += bytes;
    reply.read.arrived(bytes);
    this.#finish(reply);
    return bytes;
  }

  #finish({ read, bytes, filled }: Reply): void {
    if (filled < bytes) return;
    this.#reply = undefined;
    read.done(bytes);
  }

  /** A packet begins: type and length tell whether it can be ours, its id whether it is. */
  #begin(rest: Buffer): number {
    const wanted = this.#headBytes < TYPED_BYTES ? TYPED_BYTES : HEAD_BYTES;
    const bytes = Math.min(wanted - this.#headBytes, rest.length);
    this.#head.set(rest.subarray(0, bytes), this.#headBytes);
    this.#headBytes += bytes;
    if (this.#headBytes < wanted) return bytes;
    const packetBytes = this.#head.readUInt32BE(0);
    const isData = this.#head[4] === DATA && packetBytes >= HEAD_BYTES - 4;
    if (!isData) this.#disown(packetBytes);
    else if (wanted === HEAD_BYTES) this.#own(packetBytes);
    return bytes;
  }

  #own(packetBytes: number): void {
    const bytes = this.#head.readUInt32BE(9);
    const whole = bytes === packetBytes - (HEAD_BYTES - 4);
    const read = whole ? this.#packets.take(this.#head.readUInt32BE(5), bytes) : undefined;
    if (read === undefined) return this.#disown(packetBytes);
    this.#headBytes = 0;
    this.#reply = { read, bytes, filled: 0 };
    this.#finish(this.#reply);
  }

  #disown(packetBytes: number): void {
    const bytes = this.#headBytes;
    this.#headBytes = 0;
    // A packet may be shorter than the head of an answer; ssh2 refuses those that have no type.
    this.#foreignBytes = Math.max(0, packetBytes + 4 - bytes);
    this.#packets.pass(Buffer.from(this.#head.subarray(0, bytes)));
  }
}

/** SSH_FXP_DATA: length (4 bytes), type (1), id (4), length of the content (4). draft-ietf-secsh-filexfer-02, 7 */
const DATA = 103;
const TYPED_BYTES = 5;
const HEAD_BYTES = 13;
