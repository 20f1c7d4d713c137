/**
 * Knows the secrets that are in use and takes them out of whatever is to be shown, in plain, base64, hex and
 * URL-encoded spelling.
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

  /** The text with every known secret replaced by `[secret]`. */
  readonly redact = (text: string): string => {
    let clean = text;
    for (const spelling of this.#longestFirst) {
      if (clean.includes(spelling)) clean = clean.replaceAll(spelling, '[secret]');
    }
    return clean;
  };

  #addSpellings(secret: string): void {
    const bytes = Buffer.from(secret, 'utf8');
    const hex = bytes.toString('hex');
    const base64 = bytes.toString('base64').replace(/=+$/, '');
    const url = encodeURIComponent(secret.toWellFormed());
    for (const spelling of [
      secret,
      base64,
      bytes.toString('base64url'),
      hex,
      hex.toUpperCase(),
      url,
      url.replaceAll('%20', '+'),
      JSON.stringify(secret).slice(1, -1),
    ]) {
      this.#spellings.add(spelling);
    }
  }
}

const SHORTEST = 4;
const SHORTEST_LINE = 8;
