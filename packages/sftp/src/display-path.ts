/** Text that a vendor chose, made safe for messages and logs. */

/**
 * Control characters, invisible formatting (among them those that reverse the reading direction) and backslashes become
 * `\u{…}`; what is too long is cut.
 */
export function displayPath(path: string): string {
  const escaped = path.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return escaped.length > MAX_SHOWN ? `${escaped.slice(0, MAX_SHOWN)}…` : escaped;
}

const MAX_SHOWN = 300;
