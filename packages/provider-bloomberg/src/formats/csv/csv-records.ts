import { isUtf8 } from 'node:buffer';
import { badReply, malformed } from '../bad-reply.ts';
import { MAX_ROW_BYTES } from '../reply-parser.ts';

/**
 * Splits CSV (RFC 4180, UTF-8; LF or CRLF) into records, byte by byte and without making strings. Holds one unfinished
 * record at most; a long one is only looked at again when it has doubled.
 */
export class CsvRecords {
  /** The record that `onRecord` is called for: field `i` is `bytes[starts[i]]` up to `ends[i]`, without its quotes. */
  bytes: Buffer = Buffer.alloc(0);
  readonly starts = new Int32Array(MAX_FIELDS);
  readonly ends = new Int32Array(MAX_FIELDS);
  fields = 0;
  /** As a spreadsheet counts: the header is row 1. Lines with nothing on them count, but are not handed on. */
  row = 0;
  /** False for a last record that no line end follows. */
  terminated = true;

  readonly #onRecord: () => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes that must be there before it is worth looking again. */
  #wanted = 0;

  constructor(onRecord: () => void) {
    this.#onRecord = onRecord;
  }

  /** @throws PluginError `integrity` `MALFORMED` or `LINE_TOO_LONG` */
  write(chunk: Buffer): void {
    if (this.#heldBytes === 0) {
      this.#hold(chunk, this.#records(chunk));
      return;
    }
    this.#hold(chunk, 0);
    if (this.#heldBytes < this.#wanted) return;
    const bytes = this.#take();
    this.#hold(bytes, this.#records(bytes));
  }

  /** Hands on a last record without line end. @throws PluginError `integrity` also `TRUNCATED`: inside a quoted field */
  finish(): void {
    if (this.#heldBytes === 0) return;
    const left = this.#take();
    const rest = this.#records(left);
    if (rest === left.length) return;
    this.terminated = false;
    const closed = Buffer.concat([left.subarray(rest), LINE_END]);
    if (this.#records(closed) < closed.length)
      throw badReply('TRUNCATED', `row ${this.row + 1}: the reply ends inside a quoted field`);
  }

  /** Field `index` of the current record as text. */
  text(index: number): string {
    const text = this.bytes.toString('utf8', this.starts[index], this.ends[index]);
    return this.#wasQuoted(index) ? text.replaceAll('""', '"') : text;
  }

  #wasQuoted(index: number): boolean {
    const start = this.starts[index] as number;
    return start > 0 && this.bytes[start - 1] === QUOTE;
  }

  #hold(bytes: Buffer, from: number): void {
    if (from === bytes.length) return;
    this.#held.push(Buffer.from(bytes.subarray(from)));
    this.#heldBytes += bytes.length - from;
    if (this.#heldBytes > MAX_ROW_BYTES + MAX_ROW_BYTES) throw this.#tooLong();
  }

  #take(): Buffer {
    const bytes = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }

  /** Hands on every whole record; returns where the unfinished one begins. */
  #records(bytes: Buffer): number {
    this.bytes = bytes;
    let at = 0;
    let next = this.#scan(bytes, at);
    if (next === -1) return this.#unfinished(bytes, at);
    const whole = bytes.lastIndexOf(LF) + 1;
    const utf8 = isUtf8(bytes.subarray(0, whole));
    for (; next !== -1; next = this.#scan(bytes, at)) {
      this.row += 1;
      if (next - at > MAX_ROW_BYTES) throw this.#tooLong();
      if (!utf8 && !isUtf8(bytes.subarray(at, next)))
        throw malformed(this.row, undefined, 'it is not UTF-8');
      at = next;
      if (this.fields > 1 || this.starts[0] !== this.ends[0]) this.#onRecord();
    }
    return this.#unfinished(bytes, at);
  }

  #unfinished(bytes: Buffer, at: number): number {
    if (bytes.length - at > MAX_ROW_BYTES) throw this.#tooLong();
    this.#wanted = at === 0 ? 2 * bytes.length : 0;
    return at;
  }

  /** Finds the fields of the record at `from`; returns where the next one begins, -1 when this one is not whole yet. */
  #scan(bytes: Buffer, from: number): number {
    const { length } = bytes;
    this.fields = 0;
    let start = from;
    let i = from;
    while (i < length) {
      const byte = bytes[i] as number;
      // All that matters is a comma or below it.
      if (byte > COMMA) {
        i += 1;
      } else if (byte === COMMA) {
        this.#field(start, i);
        i += 1;
        start = i;
      } else if (byte === LF) {
        this.#field(start, i > start && bytes[i - 1] === CR ? i - 1 : i);
        return i + 1;
      } else if (byte === QUOTE) {
        if (i !== start) return this.#strayQuote(bytes, i);
        const close = closingQuote(bytes, i + 1);
        const after = this.#afterQuote(bytes, close);
        if (after === undefined) return -1;
        this.#field(start + 1, close);
        if (bytes[after - 1] === LF) return after;
        i = after;
        start = after;
      } else {
        i += 1;
      }
    }
    return -1;
  }

  /** Where the next field or record begins after a closing quote; `undefined` when that has not come yet. */
  #afterQuote(bytes: Buffer, close: number): number | undefined {
    const next = close + 1;
    if (close === -1 || next >= bytes.length) return undefined;
    if (bytes[next] === COMMA || bytes[next] === LF) return next + 1;
    if (bytes[next] === CR && next + 1 >= bytes.length) return undefined;
    if (bytes[next] === CR && bytes[next + 1] === LF) return next + 2;
    throw this.#broken('something follows the closing quote of a field');
  }

  /** A quote inside an unquoted field; but only in a record that is whole, so that a cut is called one. */
  #strayQuote(bytes: Buffer, at: number): number {
    if (bytes.indexOf(LF, at) === -1) return -1;
    throw this.#broken('a quote stands inside a field that is not quoted');
  }

  #field(start: number, end: number): void {
    if (this.fields === MAX_FIELDS) throw this.#broken(`there are more than ${MAX_FIELDS} fields`);
    this.starts[this.fields] = start;
    this.ends[this.fields] = end;
    this.fields += 1;
  }

  #broken(what: string): Error {
    return malformed(this.row + 1, this.fields + 1, what);
  }

  #tooLong(): Error {
    return badReply(
      'LINE_TOO_LONG',
      `row ${this.row + 1} is longer than ${MAX_ROW_BYTES} bytes; this is no reply of Bloomberg`,
    );
  }
}

/** A request has at most 500 fields. */
const MAX_FIELDS = 4_096;
const LINE_END = Buffer.of(0x0a);
const [QUOTE, COMMA, LF, CR] = [0x22, 0x2c, 0x0a, 0x0d];

function closingQuote(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(QUOTE, from);
  while (at !== -1 && bytes[at + 1] === QUOTE) at = bytes.indexOf(QUOTE, at + 2);
  return at;
}
