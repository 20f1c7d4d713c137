/**
 * Makes text from outside safe to print: control characters, escape sequences, and marks that change the direction of
 * writing become visible spellings such as `\x1b` or `\u202e`. Text without them stays as it is.
 */
export function escapeText(text: string): string {
  return text.toWellFormed().replaceAll(UNSAFE, spelling);
}

/** C0, DEL, C1; line and paragraph separators; bidirectional controls; zero-width and other invisible characters. */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function spelling(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (SHORT[character] !== undefined) return SHORT[character];
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\u{${code.toString(16)}}`;
}
