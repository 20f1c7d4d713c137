import { badReply } from './bad-reply.ts';
import { CsvReply } from './csv/csv-reply.ts';
import { ErrorReply } from './error-reply.ts';
import { FrameReply } from './frame/frame-reply.ts';
import { JsonReply } from './json/json-reply.ts';
import type { InspectionResult } from '@octo/plugin-api';
import type { ReplyParser } from './reply-parser.ts';
import type { RowSink } from './row-sink.ts';

/** Tells the form of a reply by its first bytes and hands all of them to the parser of that form. */
export class AnyReply implements ReplyParser {
  readonly #sink: RowSink | undefined;
  #head: Buffer = Buffer.alloc(0);
  #parser: ReplyParser | undefined;

  constructor(sink?: RowSink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    if (this.#parser !== undefined) {
      this.#parser.write(chunk);
      return;
    }
    const bytes = Buffer.concat([this.#head, chunk]);
    if (bytes.length < HEAD_BYTES) this.#head = bytes;
    else this.#begin(bytes);
  }

  finish(): InspectionResult {
    if (this.#parser === undefined) this.#begin(this.#head);
    return (this.#parser as ReplyParser).finish();
  }

  #begin(bytes: Buffer): void {
    const plain = bytes.indexOf(BOM) === 0 ? bytes.subarray(BOM.length) : bytes;
    this.#head = Buffer.alloc(0);
    this.#parser = parserFor(plain, this.#sink);
    this.#parser.write(plain);
  }
}

function parserFor(head: Buffer, sink: RowSink | undefined): ReplyParser {
  const text = head.toString('latin1', 0, HEAD_BYTES);
  if (text === '') throw badReply('EMPTY_FILE', 'the reply is empty');
  if (text.startsWith(FRAME)) return new FrameReply(sink);
  if (text.startsWith('#')) return new ErrorReply();
  if (/^"?DL_/.test(text)) return new CsvReply(sink);
  if (/^[ \t\r\n]*(\[|$)/.test(text)) return new JsonReply(sink);
  if (FRAME.startsWith(text) || /^"?(D|DL)?$/.test(text))
    throw badReply('TRUNCATED', 'the reply ends within its first line');
  const hint = HINTS.find(([beginning]) => text.startsWith(beginning))?.[1];
  throw badReply('UNKNOWN_FORM', hint ?? 'it has no form of a reply');
}

const FRAME = 'START-OF-FILE';
/** Of the longest beginning that tells a form, behind a byte order mark. */
const HEAD_BYTES = 16;
const BOM = Buffer.of(0xef, 0xbb, 0xbf);
const ENCRYPTED = 'the reply is encrypted: the step "decrypt" has to stand before this one';
const HINTS: readonly (readonly [beginning: string, hint: string])[] = [
  ['\u001F\u008B', 'the reply is compressed: the step "decompress" has to stand before this one'],
  ['begin ', 'the reply is uuencoded: the step "decode" has to stand before this one'],
  ['-----BEGIN PGP', ENCRYPTED],
  // Packets of OpenPGP that begin a message: an encrypted session key, of the older and of the newer form.
  ['\u0084', ENCRYPTED],
  ['\u0085', ENCRYPTED],
  ['\u00C1', ENCRYPTED],
];
