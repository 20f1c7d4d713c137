/**
 * Knows the secrets that are in use and takes them out of whatever is to be shown, in plain, base64, hex and
 * URL-encoded spelling, and where base64 holds more than the secret (`Basic …` of a user and a password).
 */
export class Redactor {
  readonly #spellings = new Set<string>();
  #longestFirst: readonly string[] = [];

  /** From now on these are hidden. Shorter than 4 characters cannot be hidden without harm to everything else. */
  add(secrets: Iterable<string>): void {
    for (const secret of secrets) {
      if (secret.trim().length < SHORTEST) continue;
      this.#addSpellings(secret);
      // Parsers quote the line of a key that they stumble over.
      for (const line of secret.split(/\r?\n/)) {
        if (line.trim().length >= SHORTEST_LINE) this.#spellings.add(line.trim());
      }
    }
    this.#longestFirst = [...this.#spellings].toSorted((a, b) => b.length - a.length);
  }

  /**
   * The text with every known secret replaced by `[secret]`; where it was cut and ends with `…`, also the beginning of
   * one right before that.
   */
  readonly redact = (text: string): string => {
    let clean = text.endsWith(CUT) ? this.#redactCut(text.slice(0, -CUT.length)) + CUT : text;
    for (const spelling of this.#longestFirst) {
      if (clean.includes(spelling)) clean = clean.replaceAll(spelling, '[secret]');
    }
    return clean;
  };

  #redactCut(text: string): string {
    const starts = this.#longestFirst.map((spelling) => startOfBeginning(text, spelling));
    const start = Math.min(text.length, ...starts);
    return start < text.length ? `${text.slice(0, start)}[secret]` : text;
  }

  #addSpellings(secret: string): void {
    const bytes = Buffer.from(secret, 'utf8');
    const hex = bytes.toString('hex');
    const url = encodeURIComponent(secret.toWellFormed());
    for (const spelling of [
      secret,
      ...base64Spellings(bytes),
      hex,
      hex.toUpperCase(),
      ...urlSpellings(url),
      JSON.stringify(secret).slice(1, -1),
    ]) {
      this.#spellings.add(spelling);
    }
  }
}

const SHORTEST = 4;
const SHORTEST_LINE = 8;
const CUT = '…';

/** Where a beginning of the spelling starts that goes on to the end of the text; the text's length when there is none. */
function startOfBeginning(text: string, spelling: string): number {
  const first = spelling.slice(0, SHORTEST);
  const from = Math.max(0, text.length - spelling.length);
  for (let at = text.indexOf(first, from); at >= 0; at = text.indexOf(first, at + 1)) {
    if (spelling.startsWith(text.slice(at))) return at;
  }
  return text.length;
}

/** A shorter piece from the middle of base64 could be a word of its own. */
const SHORTEST_INNER = 8;

/** In base64 and base64url: the secret by itself, and the characters that are its alone after 0, 1 or 2 other bytes. */
function base64Spellings(bytes: Buffer): string[] {
  const inner = [0, 1, 2].map((before) => innerBase64(bytes, before));
  const all = [
    bytes.toString('base64').replace(/=+$/, ''),
    ...inner.filter((piece) => piece.length >= SHORTEST_INNER),
  ];
  return all.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}

/** Without the characters at either end whose bits belong to a neighbouring byte too. */
function innerBase64(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  const start = Math.ceil((before * 8) / 6);
  return text.slice(start, Math.floor(((before + bytes.length) * 8) / 6));
}

/** Escapes are spelled in either case (RFC 3986, 2.1), and a form writes a space as `+`. */
function urlSpellings(url: string): string[] {
  const lower = url.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
  return [url, lower].flatMap((text) => [text, text.replaceAll('%20', '+')]);
}
