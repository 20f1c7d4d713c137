import { badReply, malformed } from '../bad-reply.ts';
import { MAX_ROW_BYTES } from '../reply-parser.ts';

/**
 * Cuts one array of objects into slices of whole objects with the commas between them, which a parser of JSON can take as
 * they are. Holds one unfinished object at most.
 */
export class JsonObjects {
  /** Whole objects seen. */
  objects = 0;
  readonly #onSlice: (slice: Buffer) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #state: State = 'before';
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** `onSlice` is given `{…}, {…}, …`; the bytes are valid during the call only. */
  constructor(onSlice: (slice: Buffer) => void) {
    this.#onSlice = onSlice;
  }

  /** @throws PluginError `integrity` `MALFORMED` or `LINE_TOO_LONG` */
  write(chunk: Buffer): void {
    let from = this.#depth > 0 ? 0 : -1;
    let to = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#depth > 0) {
        if (this.#inside(byte)) to = at + 1;
      } else if (this.#between(byte)) {
        if (from < 0) from = at;
      }
    }
    if (to > 0) this.#emit(chunk.subarray(from, to));
    if (this.#depth > 0) this.#hold(chunk.subarray(Math.max(to, from, 0)));
  }

  /** @throws PluginError `integrity` `TRUNCATED` */
  finish(): void {
    if (this.#state === 'after') return;
    throw badReply(
      'TRUNCATED',
      `the array of rows has no end after row ${this.objects}: it was cut off`,
    );
  }

  /** Whether the object ended with this byte. */
  #inside(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN || byte === OPEN_LIST) this.#depth += 1;
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      this.#depth -= 1;
      if (this.#depth === 0) {
        this.objects += 1;
        this.#state = 'object';
        return true;
      }
    }
    return false;
  }

  /** Whether an object begins with this byte. */
  #between(byte: number): boolean {
    if (byte === SPACE || byte === TAB || byte === LF || byte === CR) return false;
    const next = NEXT[this.#state].get(byte);
    if (next === undefined)
      throw malformed(this.objects + 1, undefined, 'it is not an object in an array of objects');
    this.#state = next;
    if (byte !== OPEN) return false;
    this.#depth = 1;
    return true;
  }

  #emit(part: Buffer): void {
    this.#onSlice(this.#heldBytes === 0 ? part : Buffer.concat([...this.#held, part]));
    this.#held = [];
    this.#heldBytes = 0;
  }

  #hold(bytes: Buffer): void {
    const own = this.#heldBytes === 0 ? bytes.subarray(begin(bytes)) : bytes;
    this.#held.push(Buffer.from(own));
    this.#heldBytes += own.length;
    if (this.#heldBytes > MAX_ROW_BYTES)
      throw badReply(
        'LINE_TOO_LONG',
        `row ${this.objects + 1} is longer than ${MAX_ROW_BYTES} bytes; this is no reply of Bloomberg`,
      );
  }
}

/** `before` the array, at its `start`, behind an `object`, behind a `comma`, `inside` an object, `after` the array. */
type State = 'before' | 'start' | 'inside' | 'object' | 'comma' | 'after';

const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE] = [0x22, 0x5c, 0x2c, 0x7b, 0x7d];
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [SPACE, TAB, LF, CR] = [0x20, 0x09, 0x0a, 0x0d];
const NEXT: { readonly [state in State]: ReadonlyMap<number, State> } = {
  before: new Map([[OPEN_LIST, 'start']]),
  start: new Map([
    [OPEN, 'inside'],
    [CLOSE_LIST, 'after'],
  ]),
  inside: new Map(),
  object: new Map([
    [COMMA, 'comma'],
    [CLOSE_LIST, 'after'],
  ]),
  comma: new Map([[OPEN, 'inside']]),
  after: new Map(),
};

/** Behind a whole object come a comma and perhaps spaces: the unfinished object begins at its brace. */
function begin(bytes: Buffer): number {
  return Math.max(0, bytes.indexOf(OPEN));
}
