/**
 * JSON with one spelling for each value: keys in order, nothing between the parts, and everything that could trick a
 * terminal or hide from a reader as `\uXXXX`. Of plain data only: texts, numbers, booleans, and objects of them.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value)).replaceAll(INVISIBLE, spelt);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]),
  );
}

/** As `escapeText` has them; JSON itself spells C0 and lone surrogates out. */
const INVISIBLE =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function spelt(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
