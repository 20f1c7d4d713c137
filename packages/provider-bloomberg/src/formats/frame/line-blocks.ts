import { badReply } from '../bad-reply.ts';
import { MAX_ROW_BYTES } from '../reply-parser.ts';

/**
 * Hands on blocks of whole lines, each ended by LF, without copying what need not be: only a line that two chunks share is
 * joined. Holds that line at most.
 */
export class LineBlocks {
  /** False when no line end followed the last line; {@link LineBlocks.finish} adds one. */
  terminated = true;
  readonly #onBlock: (block: Buffer) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(onBlock: (block: Buffer) => void) {
    this.#onBlock = onBlock;
  }

  /** @throws PluginError `integrity` `LINE_TOO_LONG`, and whatever `onBlock` throws */
  write(chunk: Buffer): void {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end === 0) {
      this.#hold(chunk);
      return;
    }
    let start = 0;
    if (this.#heldBytes > 0) {
      start = chunk.indexOf(LF) + 1;
      this.#hold(chunk.subarray(0, start));
      this.#onBlock(this.#take());
    }
    if (start < end) this.#onBlock(chunk.subarray(start, end));
    this.#hold(chunk.subarray(end));
  }

  finish(): void {
    if (this.#heldBytes === 0) return;
    this.terminated = false;
    this.#hold(LINE_END);
    this.#onBlock(this.#take());
  }

  /** A copy, because the chunk is its reader's. */
  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > MAX_ROW_BYTES)
      throw badReply(
        'LINE_TOO_LONG',
        `a line is longer than ${MAX_ROW_BYTES} bytes; this is no reply of Bloomberg`,
      );
  }

  #take(): Buffer {
    const line = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return line;
  }
}

const LF = 0x0a;
const LINE_END = Buffer.of(LF);
