import { badReply, malformed } from './bad-reply.ts';

/**
 * Decodes uuencoded text, from `begin <mode> <name>` to `end`. Strict: a line has exactly the characters that it announces,
 * so that nothing can be cut or lost unnoticed inside of one.
 */
export class UuLines {
  #row = 0;
  #section: 'begin' | 'body' | 'end' | 'ended' = 'begin';
  /** The decoded bytes of a block, in a memory that is used again. */
  #out: Buffer = Buffer.alloc(0);
  #written = 0;

  /**
   * The bytes of a block of whole lines; valid until the next call.
   * @throws PluginError `integrity` `MALFORMED`, with the row
   */
  decode(block: Buffer): Buffer {
    if (this.#out.length < block.length) this.#out = Buffer.alloc(block.length);
    this.#written = 0;
    for (let at = 0; at < block.length;) {
      const lineEnd = block.indexOf(LF, at);
      this.#row += 1;
      this.#line(block, at, block[lineEnd - 1] === CR && lineEnd > at ? lineEnd - 1 : lineEnd);
      at = lineEnd + 1;
    }
    return this.#out.subarray(0, this.#written);
  }

  /** @throws PluginError `integrity` `TRUNCATED` */
  finish(): void {
    if (this.#section !== 'ended')
      throw badReply('TRUNCATED', `the uuencoded text ends after row ${this.#row} without "end"`);
  }

  #line(bytes: Buffer, from: number, to: number): void {
    if (this.#section === 'body') this.#body(bytes, from, to);
    else if (this.#section === 'ended') this.#expect(from === to, 'something follows "end"');
    else if (this.#section === 'end') {
      this.#expect(bytes.toString('latin1', from, to) === 'end', '"end" is due');
      this.#section = 'ended';
    } else {
      const line = bytes.toString('latin1', from, Math.min(to, from + MAX_BEGIN));
      this.#expect(/^begin [0-7]{3,4} .+$/.test(line), '"begin <mode> <name>" is due');
      this.#section = 'body';
    }
  }

  #body(bytes: Buffer, from: number, to: number): void {
    const count = sixBits(bytes[from] as number);
    const due = Math.ceil(count / 3) * 4;
    this.#expect(count >= 0 && to - from === due + 1, 'it has not the length that it announces');
    if (count === 0) this.#section = 'end';
    const out = this.#out;
    let written = this.#written;
    for (let at = from + 1; at < to; at += 4) {
      const a = sixBits(bytes[at] as number);
      const b = sixBits(bytes[at + 1] as number);
      const c = sixBits(bytes[at + 2] as number);
      const d = sixBits(bytes[at + 3] as number);
      if ((a | b | c | d) < 0) this.#expect(false, 'a character is none of uuencoding');
      out[written] = (a << 2) | (b >> 4);
      out[written + 1] = (b << 4) | (c >> 2);
      out[written + 2] = (c << 6) | d;
      written += 3;
    }
    // The last group of three may be longer than what the line announces.
    this.#written = this.#written + count;
  }

  #expect(holds: boolean, what: string): void {
    if (!holds) throw malformed(this.#row, undefined, `${what} in the uuencoded text`);
  }
}

/** What a character stands for; -1 for one that may not be there. Both a blank and a back-tick are zero. */
function sixBits(character: number): number {
  if (character === BACK_TICK) return 0;
  return character >= SPACE && character < BACK_TICK ? character - SPACE : -1;
}

const MAX_BEGIN = 300;
const [LF, CR, SPACE, BACK_TICK] = [0x0a, 0x0d, 0x20, 0x60];
