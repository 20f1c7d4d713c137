import { malformed } from '../bad-reply.ts';
import type { Delimiters } from './delimiters.ts';
import { integerIn } from '../integer-in.ts';

/**
 * The row that is being looked at: where its cells are, in bytes that others own. Every cell is closed by the delimiter,
 * the last one, too.
 */
export class FrameRow {
  bytes: Buffer = Buffer.alloc(0);
  /** Of the row, without its line end. */
  start = 0;
  end = 0;
  cells = 0;
  /** Cell `i` ends at `places[first + i]`; the next one begins a byte later. */
  places: Int32Array = new Int32Array(0);
  first = 0;
  /** Of the file, counted from 1. */
  line = 0;
  /** Whether the line ended with CR and LF. */
  crlf = false;
  /** How the bytes are to be read when somebody asks for text. */
  encoding: 'utf8' | 'latin1' = 'utf8';

  /**
   * Takes in the line from `start` to the line end at `lineEnd`, whose delimiters are those of `found` from the one numbered
   * `first` on; returns the number of the first one behind it.
   */
  take(bytes: Buffer, start: number, lineEnd: number, found: Delimiters, first: number): number {
    const { count, places } = found;
    let next = first;
    while (next < count && (places[next] as number) < lineEnd) next += 1;
    this.places = places;
    this.first = first;
    this.cells = next - first;
    this.span(bytes, start, lineEnd);
    return next;
  }

  /** Takes in the line from `start` to the line end at `lineEnd`, whatever is in it. */
  span(bytes: Buffer, start: number, lineEnd: number): void {
    this.bytes = bytes;
    this.start = start;
    this.crlf = lineEnd > start && bytes[lineEnd - 1] === CR;
    this.end = this.crlf ? lineEnd - 1 : lineEnd;
    this.line += 1;
  }

  /** @throws PluginError `integrity` `MALFORMED` when something follows the last delimiter, or there is none */
  expectClosed(): void {
    if (this.cells > 0 && this.endOf(this.cells - 1) === this.end - 1) return;
    throw malformed(
      this.line,
      this.cells + 1,
      this.cells === 0
        ? 'there is no delimiter; the header DELIMITER says which one it should be'
        : 'the last cell is not closed by the delimiter',
    );
  }

  startOf(cell: number): number {
    return cell === 0 ? this.start : this.endOf(cell - 1) + 1;
  }

  endOf(cell: number): number {
    return this.places[this.first + cell] as number;
  }

  text(cell: number): string {
    return this.bytes.toString(this.encoding, this.startOf(cell), this.endOf(cell));
  }

  /** @throws PluginError `integrity` `MALFORMED` when the cell is no whole number of at most nine digits */
  integer(cell: number, what: string): number {
    const value = integerIn(this.bytes, this.startOf(cell), this.endOf(cell));
    if (Number.isNaN(value)) throw malformed(this.line, cell + 1, `${what} is no whole number`);
    return value;
  }

  /** Whether the line begins with these bytes. */
  startsWith(bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i += 1)
      if (this.bytes[this.start + i] !== bytes[i]) return false;
    return true;
  }
}

const CR = 0x0d;
