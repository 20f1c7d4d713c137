import { PluginError } from '@octo/plugin-api';

/** A line longer than this is no line of a table any more. */
export const MAX_LINE_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Cuts a stream into lines, without their ends (LF or CRLF), and leaves out empty ones. Holds one line at a time. */
export class LineScanner {
  readonly #online: (line: Buffer) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(online: (line: Buffer) => void) {
    this.#online = online;
  }

  /** @throws PluginError `integrity`, code `TRAILER`, for a line of more than {@link MAX_LINE_BYTES} */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.#hold(bytes.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    this.#hold(bytes.subarray(start));
  }

  /** The last line may have no end. */
  finish(): void {
    this.#emit();
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > MAX_LINE_BYTES) {
      throw new PluginError(
        'integrity',
        `the file has a line of more than ${MAX_LINE_BYTES} bytes; it is not the text that was expected`,
        { code: 'TRAILER' },
      );
    }
  }

  #emit(): void {
    if (this.#heldBytes === 0) return;
    const first = this.#held[0] as Buffer;
    const whole = this.#held.length === 1 ? first : Buffer.concat(this.#held);
    const line = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
    this.#held = [];
    this.#heldBytes = 0;
    if (line.length > 0) this.#online(line);
  }
}
