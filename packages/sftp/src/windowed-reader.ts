/**
 * Reads one open file with many reads under way, and hands its bytes on in order.
 *
 * - The window never runs further ahead of the consumer than `readAheadBytes`, so memory is bounded.
 * - A short reply is asked again for the rest; a longer one than asked for is refused.
 * - The file has ended only where the server says so: with a known size exactly there, else wherever end-of-file is
 *   answered. So truncation and growth are both seen.
 * - Time during which the server owes an answer is watched; time during which the consumer is busy is not.
 */
import { PluginError } from '@octo/plugin-api';
import { displayPath } from './display-path.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { SFTP_CODE, sftpCode } from './sftp-error.ts';

export interface FileToRead {
  readonly handle: Buffer;
  readonly path: string;
  /** Where to begin, in bytes. */
  readonly offset: number;
  /** How long the whole file must be; undefined when that is not known. */
  readonly size: number | undefined;
}

/** A stretch of the file that becomes one chunk for the consumer. */
interface Block {
  readonly start: number;
  readonly bytes: Buffer;
  missing: number;
  /** Up to where it was asked for. */
  asked: number;
}

/** A range that one read asks for; without a block it only asks whether the file ends here. */
interface Slice {
  readonly from: number;
  readonly length: number;
  readonly block: Block | undefined;
}

export class WindowedReader {
  readonly #connection: SftpConnection;
  readonly #file: FileToRead;
  readonly #blockBytes: number;
  readonly #again: Slice[] = [];
  #blocks: Block[] = [];
  #nextBlock: number;
  #consumed: number;
  #probed = false;
  #end: number | undefined;
  #furthest = 0;
  #outstanding = 0;
  #failure: unknown;
  #closed = false;
  #wake: () => void = () => {};
  #received = 0;
  #lastReplyMs = 0;
  #rate: { readonly sinceMs: number; readonly received: number } | undefined;

  constructor(connection: SftpConnection, file: FileToRead) {
    this.#connection = connection;
    this.#file = file;
    const { readBytes } = connection.channel;
    this.#blockBytes = Math.max(1, Math.floor(CHUNK_BYTES / readBytes)) * readBytes;
    this.#nextBlock = file.offset;
    this.#consumed = file.offset;
  }

  /**
   * The bytes from the offset to the end, once.
   * @throws PluginError `integrity` with code `TRUNCATED`, `GROWN`, `OVERLONG_REPLY` or `EMPTY_REPLY`; `network` with code `STALLED` or
   *   `TOO_SLOW`; by the server's status
   */
  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { lost } = this.#connection;
    using _reading = this.#connection.reading();
    const stop = new AbortController();
    const over = { once: true, signal: stop.signal };
    signal.addEventListener('abort', () => this.#fail(signal.reason), over);
    lost.addEventListener('abort', () => this.#fail(lost.reason), over);
    const watching = this.#watch(stop.signal);
    try {
      lost.throwIfAborted();
      this.#fill();
      for (;;) {
        signal.throwIfAborted();
        const chunk = this.#next();
        if (chunk !== undefined) {
          yield chunk;
          // The window has moved on. Otherwise the budget calls back when there are reads to take.
          this.#fill();
        } else if (this.#failure !== undefined) throw this.#failure;
        else if (this.#finished()) return;
        else await this.#news();
      }
    } finally {
      this.#closed = true;
      this.#connection.budget.forget(this.#fill);
      stop.abort(OVER);
      await watching;
    }
  }

  /** The first block, when it is complete. */
  #next(): Uint8Array | undefined {
    const [first] = this.#blocks;
    if (first === undefined) return undefined;
    const length = Math.min(first.bytes.length, (this.#end ?? Infinity) - first.start);
    if (length <= 0) {
      this.#blocks = [];
      return undefined;
    }
    if (first.missing > first.bytes.length - length) return undefined;
    this.#blocks.shift();
    this.#consumed = first.start + length;
    return first.bytes.subarray(0, length);
  }

  #finished(): boolean {
    return this.#end !== undefined && this.#consumed >= this.#end;
  }

  /** Sends as many reads as budget and window allow. */
  readonly #fill = (): void => {
    while (!this.#closed && this.#failure === undefined) {
      const slice = this.#again.at(-1) ?? this.#ahead();
      if (slice === undefined || !this.#connection.budget.take(slice.length, this.#fill)) return;
      if (slice === this.#again.at(-1)) this.#again.pop();
      else this.#mark(slice);
      this.#send(slice);
    }
  };

  /** What to ask for next, if anything; {@link #mark} says that it was asked for. */
  #ahead(): Slice | undefined {
    if (this.#end !== undefined) return undefined;
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.asked < last.bytes.length) return this.#sliceOf(last);
    const { size } = this.#file;
    if (size !== undefined && this.#nextBlock >= size) {
      return this.#probed ? undefined : { from: this.#nextBlock, length: 1, block: undefined };
    }
    if (this.#nextBlock - this.#consumed >= this.#connection.window.readAheadBytes)
      return undefined;
    const length = Math.min(this.#blockBytes, (size ?? Infinity) - this.#nextBlock);
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#blocks.push({ start: this.#nextBlock, bytes, missing: length, asked: 0 });
    this.#nextBlock += length;
    return this.#sliceOf(this.#blocks.at(-1) as Block);
  }

  #sliceOf(block: Block): Slice {
    const length = Math.min(this.#connection.channel.readBytes, block.bytes.length - block.asked);
    return { from: block.start + block.asked, length, block };
  }

  #mark({ block, length }: Slice): void {
    if (block === undefined) this.#probed = true;
    else block.asked += length;
  }

  #send(slice: Slice): void {
    const { budget, channel, clock } = this.#connection;
    const sentUnder = budget.limit;
    if (this.#outstanding++ === 0) this.#lastReplyMs = clock.monotonic();
    this.#rate ??= { sinceMs: this.#lastReplyMs, received: this.#received };
    let arrived = 0;
    channel.read({
      handle: this.#file.handle,
      offset: slice.from,
      into: placeOf(slice),
      arrived: (bytes) => {
        arrived += bytes;
        this.#received += bytes;
        this.#lastReplyMs = clock.monotonic();
      },
      answered: (error, bytes) => {
        this.#outstanding--;
        this.#lastReplyMs = clock.monotonic();
        this.#received += Math.max(0, bytes - arrived);
        if (!this.#closed) this.#take(slice, sentUnder, error, bytes);
        budget.giveBack(slice.length, this.#closed ? undefined : this.#fill);
        if (this.#outstanding === 0) this.#rate = undefined;
        this.#wake();
      },
    });
  }

  #take(slice: Slice, sentUnder: number, error: Error | undefined, bytes: number): void {
    const code = sftpCode(error);
    if (code === SFTP_CODE.eof) this.#ends(slice.from);
    else if (!error) this.#store(slice, bytes);
    else if (REFUSALS.has(code) && this.#connection.budget.lower(sentUnder))
      this.#again.push(slice);
    else this.#fail(this.#connection.failure('read', this.#file.path, error));
  }

  #store({ from, length, block }: Slice, bytes: number): void {
    if (bytes > length) return this.#fail(this.#wrong('OVERLONG_REPLY', OVERLONG));
    // Where the file must end anyway, some servers say so with no bytes; elsewhere that would be an end by accident.
    if (bytes === 0 && from === this.#file.size) return this.#ends(from);
    if (bytes === 0) return this.#fail(this.#wrong('EMPTY_REPLY', EMPTY));
    this.#furthest = Math.max(this.#furthest, from + bytes);
    if (block === undefined || this.#furthest > (this.#end ?? Infinity))
      return this.#fail(this.#grown());
    block.missing -= bytes;
    if (bytes === length) return;
    this.#again.push({ from: from + bytes, length: length - bytes, block });
  }

  #ends(at: number): void {
    const { size } = this.#file;
    if (size !== undefined && at < size) {
      const what = `it ended at or before byte ${at}, although it should have ${size}`;
      return this.#fail(this.#wrong('TRUNCATED', what));
    }
    this.#end = Math.min(this.#end ?? Infinity, at);
    if (this.#furthest > this.#end) this.#fail(this.#grown());
  }

  #grown(): PluginError {
    const end = this.#file.size ?? this.#end ?? 0;
    return this.#wrong('GROWN', `it has more than its ${end} bytes, so it is still being written`);
  }

  #wrong(code: string, what: string): PluginError {
    const { address } = this.#connection.settings;
    const path = displayPath(this.#file.path);
    const text = `sftp ${address}: ${path} cannot be trusted: ${what}; ask the vendor to send it again`;
    return new PluginError('integrity', text, { code });
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  #news(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  /** Gives the connection up when the server owes an answer for too long, the file when it comes too slowly. */
  async #watch(stop: AbortSignal): Promise<void> {
    const { clock, settings } = this.#connection;
    try {
      for (;;) {
        const waited = this.#outstanding === 0 ? 0 : clock.monotonic() - this.#lastReplyMs;
        if (waited >= settings.idleMs) {
          return this.#connection.lose(this.#connection.stalled('read', this.#file.path));
        }
        this.#checkRate();
        await clock.sleep(settings.idleMs - waited, stop);
      }
    } catch (error) {
      if (!stop.aborted) this.#fail(error);
    }
  }

  #checkRate(): void {
    const { clock, settings } = this.#connection;
    if (this.#rate === undefined) return;
    const elapsedMs = clock.monotonic() - this.#rate.sinceMs;
    if (elapsedMs < settings.idleMs) return;
    const bytesPerSecond = ((this.#received - this.#rate.received) * 1000) / elapsedMs;
    this.#rate = { sinceMs: clock.monotonic(), received: this.#received };
    if (bytesPerSecond >= settings.minBytesPerSecond) return;
    const what = `${displayPath(this.#file.path)} comes at ${bytesPerSecond.toFixed(0)} bytes/s`;
    const rule = `less than minBytesPerSecond (${settings.minBytesPerSecond})`;
    this.#fail(
      new PluginError('network', `sftp ${settings.address}: ${what}, ${rule}; it was given up`, {
        code: 'TOO_SLOW',
      }),
    );
  }
}

/** Where the bytes of a slice belong. */
function placeOf({ from, length, block }: Slice): Uint8Array {
  if (block === undefined) return new Uint8Array(length);
  return block.bytes.subarray(from - block.start, from - block.start + length);
}

/** Without a reason of ours an abort makes an error, with a stack, that nobody looks at. */
const OVER = 'over';
/** A chunk is as many whole reads as fit. */
const CHUNK_BYTES = 256 * 1024;
const OVERLONG = 'the server answered a read with more bytes than were asked for';
const EMPTY = 'the server answered a read neither with bytes nor with end-of-file';
/** How servers say that they do not take so many reads at once. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([
  SFTP_CODE.failure,
  SFTP_CODE.badMessage,
  SFTP_CODE.unsupported,
]);
