import { badReport } from './bad-report.ts';

/**
 * Splits CSV (RFC 4180; LF or CRLF; a BOM is skipped) into records, byte by byte and without making strings. Holds one
 * unfinished record at most, whatever the size of the file.
 */
export class CsvRecords {
  /** The record that `onRecord` is called for: field `i` is `bytes[starts[i]]` up to `ends[i]`, without its quotes. */
  bytes: Uint8Array = EMPTY;
  readonly starts = new Int32Array(MAX_FIELDS);
  readonly ends = new Int32Array(MAX_FIELDS);
  fields = 0;
  /** As a spreadsheet counts: the header is row 1. Lines with nothing on them count, but are not handed on. */
  row = 0;
  /** False for a last record that no line end follows. */
  terminated = true;

  readonly #onRecord: () => void;
  #carry: Uint8Array = EMPTY;
  #began = false;

  constructor(onRecord: () => void) {
    this.#onRecord = onRecord;
  }

  /** @throws PluginError `integrity` `MALFORMED_ROW` or `LINE_TOO_LONG` */
  write(chunk: Uint8Array): void {
    let bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    if (!this.#began) {
      if (bytes.length < BOM.length) {
        this.#carry = bytes.slice();
        return;
      }
      bytes = this.#begin(bytes);
    }
    const rest = this.#records(bytes);
    if (bytes.length - rest > MAX_RECORD_BYTES) this.#fail('LINE_TOO_LONG', TOO_LONG);
    this.#carry = bytes.slice(rest);
  }

  /** Hands on a last record without line end. @throws PluginError `integrity` also `TRUNCATED`: inside a quoted field */
  finish(): void {
    const left = this.#began ? this.#carry : this.#begin(this.#carry);
    this.#carry = EMPTY;
    if (left.length === 0) return;
    this.terminated = false;
    const closed = Buffer.concat([left, LINE_END]);
    if (this.#records(closed) < closed.length)
      this.#fail('TRUNCATED', 'the file ends inside a quoted field; it was cut off');
  }

  /** Field `index` of the current record as text. */
  text(index: number): string {
    const [start, end] = [this.starts[index] ?? 0, this.ends[index] ?? 0];
    return Buffer.from(this.bytes.subarray(start, end)).toString();
  }

  #begin(bytes: Uint8Array): Uint8Array {
    this.#began = true;
    return Buffer.compare(bytes.subarray(0, BOM.length), BOM) === 0
      ? bytes.subarray(BOM.length)
      : bytes;
  }

  /** Hands on every whole record; returns where the unfinished one begins. */
  #records(bytes: Uint8Array): number {
    this.bytes = bytes;
    let at = 0;
    for (;;) {
      this.fields = 0;
      const next = this.#scan(bytes, at);
      if (next === -1) return at;
      if (next - at > MAX_RECORD_BYTES) this.#fail('LINE_TOO_LONG', TOO_LONG);
      this.row += 1;
      at = next;
      if (this.fields > 1 || this.starts[0] !== this.ends[0]) this.#onRecord();
    }
  }

  /** Finds the fields of the record at `from`; returns where the next one begins, -1 when this one is not whole yet. */
  #scan(bytes: Uint8Array, from: number): number {
    let start = from;
    let i = from;
    while (i < bytes.length) {
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
      } else if (byte === QUOTE && i === start) {
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
  #afterQuote(bytes: Uint8Array, close: number): number | undefined {
    const next = close + 1;
    if (close === -1 || next >= bytes.length) return undefined;
    if (bytes[next] === COMMA || bytes[next] === LF) return next + 1;
    if (bytes[next] === CR && next + 1 >= bytes.length) return undefined;
    if (bytes[next] === CR && bytes[next + 1] === LF) return next + 2;
    this.row += 1;
    return this.#fail('MALFORMED_ROW', 'something follows the closing quote of a field');
  }

  #field(start: number, end: number): void {
    if (this.fields === MAX_FIELDS) {
      this.row += 1;
      this.#fail('MALFORMED_ROW', `there are more than ${MAX_FIELDS} fields`);
    }
    this.starts[this.fields] = start;
    this.ends[this.fields] = end;
    this.fields += 1;
  }

  #fail(code: string, what: string): never {
    throw badReport(code, `row ${Math.max(1, this.row)}: ${what}`);
  }
}

/** Far above what settlement rows need (about 150 bytes), far below what would hurt. */
const MAX_RECORD_BYTES = 64 * 1024;
const MAX_FIELDS = 256;
const TOO_LONG = `a row is longer than ${MAX_RECORD_BYTES} bytes; this is not a settlement file`;
const EMPTY = new Uint8Array();
const BOM = Uint8Array.of(0xef, 0xbb, 0xbf);
const LINE_END = Uint8Array.of(0x0a);
const [QUOTE, COMMA, LF, CR] = [0x22, 0x2c, 0x0a, 0x0d];

function closingQuote(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(QUOTE, from);
  while (at !== -1 && bytes[at + 1] === QUOTE) at = bytes.indexOf(QUOTE, at + 2);
  return at;
}
