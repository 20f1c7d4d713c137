import { PluginError } from '@octo/plugin-api';
import type { ByteReader } from '../byte-reader.ts';

/** How much text may stand around an armored message, and how long one of its header lines may be, in bytes. */
const MAX_SURROUNDING = 64 * 1024;
const BEGIN = '-----BEGIN PGP MESSAGE-----';
/** Padding and checksum may stand before it. */
const END = /^={0,2}\s*(?:=[A-Za-z0-9+/]{4}\s*)?-----END PGP MESSAGE-----/;
const NOT_BASE64 = /[^A-Za-z0-9+/]/g;

/** What kind of armored block stands at the beginning of `head`, such as `MESSAGE`; `undefined` when none does. */
export function armoredBlock(head: Uint8Array): string | undefined {
  const text = Buffer.from(head).toString('latin1');
  return /(?:^|\n)(?:\xEF\xBB\xBF)?-----BEGIN PGP ([A-Z0-9 ,/]+)-----/.exec(text)?.[1];
}

/**
 * The binary message inside an armored one, decoded as it comes. Text before and after the block is left out, with a
 * word to `warn`; a second block is refused, because whoever reads only the first would lose the rest.
 *
 * The CRC-24 is not looked at (RFC 9580, 6.1); the message protects itself.
 * @throws PluginError `integrity` for a second block, a missing end, and what is not base64
 */
export async function* dearmor(
  reader: ByteReader,
  warn: (message: string) => void,
): AsyncGenerator<Uint8Array> {
  const lines = new Lines(reader);
  let surrounded = await skipToBody(lines);
  let pending = '';
  let ended = false;
  for (let text = await lines.rest(); text !== undefined && !ended; text = await lines.rest()) {
    pending += text;
    const stop = pending.search(/[=-]/);
    if (stop >= 0) {
      ended = true;
      const [body, tail] = splitAt(pending, stop);
      yield decode(clean(body), true);
      surrounded = (await readEnd(lines, tail)) || surrounded;
    } else {
      const whole = clean(pending);
      const usable = whole.length - (whole.length % 4);
      pending = whole.slice(usable);
      if (usable > 0) yield decode(whole.slice(0, usable), false);
    }
  }
  if (!ended) throw damaged('ends inside its armor');
  if (surrounded) warn('text around the armored OpenPGP message was left out');
}

async function skipToBody(lines: Lines): Promise<boolean> {
  let surrounded = false;
  let line = await lines.next();
  while (!line.replace(/^\xEF\xBB\xBF/, '').startsWith(BEGIN)) {
    surrounded ||= line.trim() !== '';
    line = await lines.next();
  }
  while ((await lines.next()).trim() !== '') {
    // headers such as Version and Comment mean nothing to us
  }
  return surrounded;
}

/** Reads the padding, the checksum, the END line and what follows. Returns whether text follows. */
async function readEnd(lines: Lines, tail: string): Promise<boolean> {
  let text = tail;
  for (let more = await lines.rest(); more !== undefined; more = await lines.rest()) {
    text += more;
    if (text.length > MAX_SURROUNDING) break;
  }
  const end = END.exec(text);
  if (end === null) throw damaged('has broken armor');
  const after = text.slice(end[0].length);
  if (after.includes('-----BEGIN PGP ')) throw severalMessages();
  if (text.length > MAX_SURROUNDING) throw damaged('has too much text after its armor');
  return after.trim() !== '';
}

function severalMessages(): PluginError {
  return new PluginError(
    'integrity',
    'the file holds more than one OpenPGP message; ask the vendor to send one file for each',
    { code: 'TRAILING_DATA' },
  );
}

function splitAt(text: string, at: number): [string, string] {
  return [text.slice(0, at), text.slice(at)];
}

function clean(text: string): string {
  return text.replaceAll(/[\r\n\t ]+/g, '');
}

function decode(base64: string, last: boolean): Uint8Array {
  if (base64.search(NOT_BASE64) >= 0 || (last && base64.length % 4 === 1)) {
    throw damaged('has broken armor');
  }
  return Buffer.from(base64, 'base64');
}

function damaged(what: string): PluginError {
  return new PluginError('integrity', `the armored OpenPGP message ${what}; fetch it again`, {
    code: 'DECRYPT_FAILED',
  });
}

/** Short lines first, then the rest as text of any length. */
class Lines {
  readonly #reader: ByteReader;
  #text = '';
  #read = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  async next(): Promise<string> {
    let end = this.#text.indexOf('\n');
    while (end < 0) {
      const chunk = await this.#reader.some(MAX_SURROUNDING);
      if (chunk === undefined || this.#read > 2 * MAX_SURROUNDING) throw damaged('has no body');
      this.#text += Buffer.from(chunk).toString('latin1');
      this.#read += chunk.length;
      end = this.#text.indexOf('\n');
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  async rest(): Promise<string | undefined> {
    if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      return text;
    }
    const chunk = await this.#reader.some();
    return chunk === undefined ? undefined : Buffer.from(chunk).toString('latin1');
  }
}
