/**
 * The two things that ssh2 does not offer on an SFTP channel: the reply to a read as it came, and a wider window. Both
 * look first whether the library's inside is what they expect, and leave it alone when not.
 */
import type { Socket } from 'node:net';
import type { SFTPWrapper } from 'ssh2';

export type ReadReply = (error: Error | undefined, data: Uint8Array | undefined) => void;

interface Inside {
  readonly _requests?: { [id: number]: unknown };
  readonly _writeReqid?: number;
  readonly _maxReadLen?: number;
  readonly incoming?: { window?: number };
  readonly outgoing?: { readonly id?: number };
  readonly _protocol?: { channelWindowAdjust?: (id: number, bytes: number) => void };
}

export class RawChannel {
  readonly #sftp: SFTPWrapper;
  readonly #inside: Inside;
  readonly #socket: Socket;
  readonly #window: number;
  #corked = false;
  /** How much one read may ask for, in bytes. Every server must answer 32 KiB. */
  readonly readBytes: number;

  /** @param window how many bytes the server may have under way to us; ssh2 alone allows 1 to 2 MiB */
  constructor(sftp: SFTPWrapper, socket: Socket, window: number) {
    this.#sftp = sftp;
    this.#socket = socket;
    this.#inside = sftp as unknown as Inside;
    this.#window = window;
    this.readBytes = Math.max(1024, Math.min(32 * 1024, this.#inside._maxReadLen ?? CAUTIOUS_READ));
    this.#widen();
  }

  /** Sends one READ. The reply's bytes are only valid during the callback; end of file is an error with code 1. */
  read(handle: Buffer, offset: number, length: number, reply: ReadReply): void {
    this.#cork();
    const requests = this.#inside._requests;
    const buffer = requests === undefined ? Buffer.allocUnsafe(length) : SCRATCH;
    this.#sftp.read(handle, buffer, 0, length, offset, (error, count, data) => {
      // ssh2 turns end of file into no bytes.
      reply(error ?? (count === 0 ? END_OF_FILE : undefined), data);
    });
    const id = this.#inside._writeReqid;
    if (requests === undefined || id === undefined) return;
    // ssh2 would cut a reply to the length that was asked for, and copy it once more than needed.
    requests[id] = {
      cb: (error: Error | undefined, data: Uint8Array | undefined) => {
        this.#widen();
        reply(error, data);
      },
    };
  }

  /** Sends what is asked for in one go with one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #widen(): void {
    const { incoming, outgoing, _protocol: protocol } = this.#inside;
    if (incoming?.window === undefined || outgoing?.id === undefined) return;
    const missing = this.#window - incoming.window;
    if (missing < this.#window / 2 || protocol?.channelWindowAdjust === undefined) return;
    incoming.window += missing;
    protocol.channelWindowAdjust(outgoing.id, missing);
  }
}

/** ssh2's own limit for servers that it does not know. */
const CAUTIOUS_READ = 34_000 - 2048;
const END_OF_FILE = Object.assign(new Error('End of file'), { code: 1 });
/** Never written to. */
const SCRATCH = Buffer.alloc(32 * 1024);
