import { randomBytes } from 'node:crypto';

/** One way to write a secret down. */
export interface Spelling {
  readonly form: string;
  readonly text: string;
}

/** Shorter pieces turn up by chance. */
const SHORTEST = 12;

/**
 * Every way in which a secret of printable ASCII could slip out: as it is, line by line, in base64 wherever it begins
 * within other bytes, in hex, in a URL, in JSON. Made here anew and not with the redactor, which they are to prove.
 */
export function spellingsOf(secret: string): readonly Spelling[] {
  const lines = secret.split('\n').filter((line) => !line.startsWith('-----'));
  const texts = lines.length === 1 ? [secret] : [...lines, secret];
  const all = texts.filter(({ length }) => length >= SHORTEST).flatMap(spelled);
  // Of equal ones the first, which says most simply what it is.
  return all.filter(({ text }, index) => all.findIndex((one) => one.text === text) === index);
}

function spelled(text: string): Spelling[] {
  const bytes = Buffer.from(text, 'latin1');
  const url = encodeURIComponent(text);
  return [
    { form: 'raw', text },
    ...[0, 1, 2].flatMap((offset) => base64At(offset, bytes)),
    { form: 'hex', text: bytes.toString('hex') },
    { form: 'HEX', text: bytes.toString('hex').toUpperCase() },
    { form: 'url', text: url },
    { form: 'url in lower case', text: url.replace(/%../g, (escape) => escape.toLowerCase()) },
    { form: 'json', text: JSON.stringify(text).slice(1, -1) },
  ];
}

/** The characters that are the secret's alone when `offset` bytes stand before it. */
function base64At(offset: number, bytes: Buffer): Spelling[] {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(3)]);
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  const cut = (alphabet: 'base64' | 'base64url') => padded.toString(alphabet).slice(first, last);
  return [
    { form: `base64 at ${offset}`, text: cut('base64') },
    { form: `base64url at ${offset}`, text: cut('base64url') },
  ];
}

/** Characters that each of the spellings writes in another way. */
const AWKWARD = '+/ "\\%&?=~<>';

/** Random secrets, each with the name of its slot, and the search for them in whatever came out. */
export class Canaries {
  readonly #spellings: { readonly slot: string; readonly spelling: Spelling }[] = [];
  readonly slots = new Map<string, string>();

  /** A new secret that no other slot has. @param awkward with characters that have to be escaped */
  make(slot: string, { awkward = true } = {}): string {
    const random = randomBytes(18).toString('base64url');
    return this.add(slot, awkward ? `${random.slice(0, 12)}${AWKWARD}${random.slice(12)}` : random);
  }

  /** A secret of a form of its own, such as a private key. */
  add(slot: string, secret: string): string {
    this.slots.set(slot, secret);
    for (const spelling of spellingsOf(secret)) this.#spellings.push({ slot, spelling });
    return secret;
  }

  /** Which secrets stand in a text or in bytes, and how they are spelled there: `slot, as form, in place`. */
  find(content: string | Uint8Array, place: string): readonly string[] {
    const text = typeof content === 'string' ? content : Buffer.from(content).toString('latin1');
    return this.#spellings
      .filter(({ spelling }) => text.includes(spelling.text))
      .map(({ slot, spelling }) => `${slot}, as ${spelling.form}, in ${place}`);
  }
}
