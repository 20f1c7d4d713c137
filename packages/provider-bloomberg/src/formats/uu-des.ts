import { PluginError } from '@octo/plugin-api';
import { badReply } from './bad-reply.ts';
import { desDecipher, desKey } from './des-key.ts';
import { LineBlocks } from './frame/line-blocks.ts';
import { UuLines } from './uu-lines.ts';

/**
 * Opens Bloomberg's legacy envelope: DES by the account's password, uuencoded. What is not uuencoded passes as it is. DES
 * proves nothing: whether the reply is whole, its own trailer says.
 * @throws PluginError from the iteration: `auth` `WRONG_KEY` when what comes out does not begin like a reply, `integrity`
 *   `TRUNCATED` or `MALFORMED` when the uuencoded text is not whole or no such text
 */
export async function* openUuDes(
  bytes: AsyncIterable<Uint8Array>,
  password: string,
): AsyncGenerator<Uint8Array> {
  const envelope = new UuDes(password);
  for await (const chunk of bytes) {
    const plain = envelope.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (plain.length > 0) yield plain;
  }
  const last = envelope.finish();
  if (last.length > 0) yield last;
}

class UuDes {
  readonly #decipher: ReturnType<typeof desDecipher>;
  readonly #uu = new UuLines();
  readonly #lines = new LineBlocks((block) => this.#block(block));
  #head: Buffer = Buffer.alloc(0);
  #form: 'unknown' | 'enveloped' | 'plain' = 'unknown';
  #plain: Buffer[] = [];
  /** The last block says how much of itself is real, so the newest one is always kept back. */
  #kept: Buffer = Buffer.alloc(0);
  #checked = false;

  constructor(password: string) {
    this.#decipher = desDecipher(desKey(password));
  }

  write(chunk: Buffer): Buffer {
    if (this.#form === 'plain') return chunk;
    if (this.#form === 'enveloped') {
      this.#lines.write(chunk);
      return this.#ready();
    }
    const bytes = Buffer.concat([this.#head, chunk]);
    if (bytes.length < BEGIN.length && BEGIN.startsWith(bytes.toString('latin1'))) {
      this.#head = bytes;
      return EMPTY;
    }
    this.#head = EMPTY;
    this.#form = bytes.toString('latin1', 0, BEGIN.length) === BEGIN ? 'enveloped' : 'plain';
    return this.write(bytes);
  }

  finish(): Buffer {
    if (this.#form !== 'enveloped') return this.#head;
    this.#lines.finish();
    this.#uu.finish();
    this.#lastBlock();
    return this.#ready();
  }

  #block(block: Buffer): void {
    const plain = this.#decipher.update(this.#uu.decode(block));
    if (plain.length === 0) return;
    const bytes = this.#kept.length === 0 ? plain : Buffer.concat([this.#kept, plain]);
    const cut = bytes.length - BLOCK_BYTES;
    this.#give(bytes.subarray(0, cut));
    this.#kept = bytes.subarray(cut);
  }

  #lastBlock(): void {
    try {
      this.#decipher.final();
    } catch (cause) {
      throw new PluginError(
        'integrity',
        'the encrypted text has not a whole number of blocks; request the reply again',
        { cause, code: 'TRUNCATED' },
      );
    }
    const real = this.#kept.at(-1);
    if (real === undefined) throw badReply('TRUNCATED', 'the envelope is empty');
    if (real >= BLOCK_BYTES) throw this.#checked ? damaged() : wrongKey();
    this.#give(this.#kept.subarray(0, real));
    if (!this.#checked) this.#check(Buffer.concat(this.#plain));
  }

  #give(plain: Buffer): void {
    if (plain.length === 0) return;
    this.#plain.push(plain);
    if (!this.#checked && lengthOf(this.#plain) >= BLOCK_BYTES)
      this.#check(Buffer.concat(this.#plain));
  }

  /** The first block depends on the key alone, so it tells a wrong one from damage further on. */
  #check(head: Buffer): void {
    this.#checked = true;
    const text = head.toString('latin1', 0, FRAME.length);
    const isReply =
      (text.length > 0 && [FRAME, GZIP].some((known) => fits(text, known))) ||
      /^#[ -~\r\n]*$/.test(text);
    if (!isReply) throw wrongKey();
  }

  #ready(): Buffer {
    if (this.#plain.length > 0 && !this.#checked) return EMPTY;
    const ready =
      this.#plain.length === 1 ? (this.#plain[0] as Buffer) : Buffer.concat(this.#plain);
    this.#plain = [];
    return ready;
  }
}

const EMPTY = Buffer.alloc(0);
const BEGIN = 'begin ';
/** As much of `START-OF-FILE` as one block holds. */
const FRAME = 'START-OF';
const GZIP = '\u001F\u008B';
const BLOCK_BYTES = 8;

/** Whether the shorter of the two is how the other one begins. */
function fits(text: string, beginning: string): boolean {
  return text.startsWith(beginning) || beginning.startsWith(text);
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function damaged(): PluginError {
  return badReply('MALFORMED', 'the last block of the encrypted text is damaged');
}

function wrongKey(): PluginError {
  return new PluginError(
    'auth',
    'the DES password does not open the reply: what comes out is no reply of Bloomberg; compare it with the account',
    { code: 'WRONG_KEY' },
  );
}
