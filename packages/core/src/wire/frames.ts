import type { Duplex } from 'node:stream';
import { fromJson, toJson, WireError } from './wire-value.ts';

/** The length of a frame, before it: 4 bytes, big-endian. */
const HEAD_BYTES = 4;

/** Values over a stream of bytes, each in a frame of its own. Read one after the other: what is not read stays outside. */
export class Frames {
  readonly #stream: Duplex;
  readonly #maxBytes: number;
  #isGathering = false;

  /** @param maxBytes the longest frame that is accepted; longer ones are not even read */
  constructor(stream: Duplex, maxBytes: number) {
    this.#stream = stream;
    this.#maxBytes = maxBytes;
    // Its end is what counts, and the reading sees that.
    stream.on('error', () => {});
  }

  /** Whether what was written lies here because the other side does not read. */
  get isFull(): boolean {
    return this.#stream.writableNeedDrain;
  }

  /**
   * Writes a value, together with what else is written in this turn of the event loop; what the other side does not take is
   * kept. @throws TypeError when it cannot be sent
   */
  write(value: unknown): void {
    const text = JSON.stringify(toJson(value));
    const bytes = Buffer.byteLength(text);
    const frame = Buffer.allocUnsafe(HEAD_BYTES + bytes);
    frame.writeUInt32BE(bytes, 0);
    frame.write(text, HEAD_BYTES, 'utf8');
    if (!this.#stream.writable) return;
    this.#gather();
    this.#stream.write(frame);
  }

  /** Lets what was gathered go now: for a process that ends before its turn does. */
  flush(): void {
    if (!this.#isGathering) return;
    this.#isGathering = false;
    this.#stream.uncork();
  }

  /** Ends the writing; what was written still leaves. */
  end(): void {
    this.flush();
    this.#stream.end();
  }

  /** Each write of the system wakes the other process: one for many frames. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#stream.cork();
    setImmediate(() => this.flush());
  }

  /**
   * What the other side writes, until it ends. `onBytes` is told the size of each frame.
   * @throws WireError for what is no frame, or one that is too long
   */
  async *read(onBytes: (bytes: number) => void = () => {}): AsyncGenerator<unknown, void, void> {
    let held: Buffer[] = [];
    let heldBytes = 0;
    let wanted = HEAD_BYTES;
    for await (const chunk of this.#stream as AsyncIterable<Buffer>) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes < wanted) continue;
      const bytes = held.length === 1 ? chunk : Buffer.concat(held);
      let start = 0;
      for (;;) {
        wanted = HEAD_BYTES;
        if (bytes.length - start < HEAD_BYTES) break;
        const length = bytes.readUInt32BE(start);
        if (length > this.#maxBytes)
          throw new WireError(`a message has ${length} bytes; ${this.#maxBytes} are the most`);
        wanted = HEAD_BYTES + length;
        if (bytes.length - start < wanted) break;
        onBytes(wanted);
        yield parsed(bytes.toString('utf8', start + HEAD_BYTES, start + wanted));
        start += wanted;
      }
      held = start < bytes.length ? [bytes.subarray(start)] : [];
      heldBytes = bytes.length - start;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return fromJson(JSON.parse(text));
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError('a message is not JSON');
  }
}
