/**
 * What ssh2 does not offer on an SFTP channel: the reply to a read as it came, reads as large as the server takes, a wider
 * window, and requests that go together. All look first whether the library's inside is what they expect, and leave it
 * alone when not.
 */
import type { Socket } from 'node:net';
import type { SFTPWrapper } from 'ssh2';
import { gatherRequests } from './gather-requests.ts';
import { ReplyStream, type PendingRead } from './reply-stream.ts';

/** What one read asks for, and who is told about it. */
export interface ChannelRead {
  readonly handle: Buffer;
  readonly offset: number;
  /** Where the bytes go; as many are asked for as it is long. Written to until `answered` is called. */
  readonly into: Uint8Array;
  /** Told as the answer comes in, in bytes. */
  readonly arrived: (bytes: number) => void;
  /** How many bytes came, which may be more than were asked for: then `into` is worth nothing. End of file is an error with code 1. */
  readonly answered: (error: Error | undefined, bytes: number) => void;
}

interface Inside {
  readonly _requests?: { [id: number]: unknown };
  readonly _writeReqid?: number;
  readonly _maxReadLen?: number;
  readonly _extensions?: { readonly [name: string]: unknown };
  readonly incoming?: { window?: number };
  readonly outgoing?: { readonly id?: number };
  readonly _protocol?: { channelWindowAdjust?: (id: number, bytes: number) => void };
  push?: (data: Buffer | null) => void;
}

export class RawChannel {
  readonly #sftp: SFTPWrapper;
  readonly #inside: Inside;
  readonly #reads = new Map<number, PendingRead>();
  #window = 0;
  /** How much one read may ask for, in bytes. */
  readonly readBytes: number;
  /** Sends at once what is gathered to be sent together. */
  readonly flush: () => void;

  constructor(sftp: SFTPWrapper, socket: Socket) {
    this.#sftp = sftp;
    this.#inside = sftp as unknown as Inside;
    this.readBytes = largestRead(this.#inside);
    this.#listen();
    this.flush = gatherRequests(sftp as unknown as Parameters<typeof gatherRequests>[0], socket);
  }

  /** @param bytes how many the server may have under way to us; ssh2 alone allows 1 to 2 MiB. Never less than before. */
  widen(bytes: number): void {
    this.#window = Math.max(this.#window, bytes);
    this.#refill();
  }

  /** Sends one READ. */
  read(read: ChannelRead): void {
    const requests = this.#inside._requests;
    const { handle, offset, into, answered } = read;
    const scratch = requests === undefined ? Buffer.allocUnsafe(into.length) : SCRATCH;
    const take = (error: Error | undefined, data: Uint8Array | undefined): void => {
      if (data !== undefined && data.length <= into.length) into.set(data);
      answered(error, data?.length ?? 0);
    };
    this.#sftp.read(handle, scratch, 0, into.length, offset, (error, count, data) => {
      // ssh2 turns end of file into no bytes.
      take(error ?? (count === 0 ? END_OF_FILE : undefined), data);
    });
    const id = this.#inside._writeReqid;
    if (requests === undefined || id === undefined) return;
    // ssh2 would cut a reply to the length that was asked for.
    requests[id] = {
      cb: (error: Error | undefined, data: Uint8Array | undefined) => {
        this.#reads.delete(id);
        take(error, data);
      },
    };
    this.#reads.set(id, {
      into,
      arrived: read.arrived,
      done: (bytes) => answered(undefined, bytes),
    });
  }

  /** Stands between the connection and ssh2's parser, where whole packets have been parsed so far. */
  #listen(): void {
    const inside = this.#inside;
    const parse = inside.push?.bind(inside);
    if (parse === undefined || inside._requests === undefined) return;
    const replies = new ReplyStream({
      take: (id, bytes) => this.#take(id, bytes),
      pass: parse,
    });
    inside.push = (data) => {
      if (data === null) return parse(data);
      replies.push(data);
      return this.#refill();
    };
  }

  /** A longer answer than was asked for takes the way through ssh2. */
  #take(id: number, bytes: number): PendingRead | undefined {
    const read = this.#reads.get(id);
    const requests = this.#inside._requests;
    if (read === undefined || requests === undefined || bytes > read.into.length) return undefined;
    this.#reads.delete(id);
    delete requests[id];
    return read;
  }

  #refill(): void {
    const { incoming, outgoing, _protocol: protocol } = this.#inside;
    if (incoming?.window === undefined || outgoing?.id === undefined) return;
    const missing = this.#window - incoming.window;
    if (missing < this.#window / 2 || protocol?.channelWindowAdjust === undefined) return;
    incoming.window += missing;
    protocol.channelWindowAdjust(outgoing.id, missing);
  }
}

/**
 * Every server must answer 32 KiB. One that tells its limit is asked for more at a time: each request is a packet to
 * encrypt and a packet to wake up for. What ssh2 assumes of servers that tell nothing may be more than they give.
 */
function largestRead({ _extensions: extensions, _maxReadLen: told }: Inside): number {
  if (told === undefined) return CAUTIOUS_READ;
  const largest = extensions?.['limits@openssh.com'] === undefined ? PLAIN_READ : LARGE_READ;
  return Math.max(1024, Math.min(largest, told));
}

const PLAIN_READ = 32 * 1024;
/** What OpenSSH announces: with its header it fits into 256 KiB, which is as much as ssh2 takes. */
const LARGE_READ = 255 * 1024;
/** ssh2's own limit for servers that it does not know. */
const CAUTIOUS_READ = 34_000 - 2048;
const END_OF_FILE = Object.assign(new Error('End of file'), { code: 1 });
/** Never written to. */
const SCRATCH = Buffer.alloc(LARGE_READ);
