/**
 * Why a cell of a frame has no value. They are kept apart because they mean different things: `N.S.` is a matter of the
 * licence, `FLD UNKNOWN` one of the request, `N.A.` and `N.D.` are facts about the security.
 */
export const NULL_TOKENS = [
  'empty',
  'blank',
  'N.A.',
  'N.D.',
  'N.S.',
  'UNSPEC',
  'BEFORE MKT',
  'AFTER MKT',
  'FLD UNKNOWN',
] as const;

/** The index in {@link NULL_TOKENS} of what stands between `start` and `end`; -1 for a value. */
export function nullTokenAt(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 0:
      return 0;
    case 1:
      return bytes[start] === SPACE ? 1 : -1;
    case 4:
      return bytes[start] === N ? notAvailable(bytes, start) : -1;
    case 6:
    case 9:
    case 10:
    case 11:
      return bytes[start + 1] === SECOND[bytes[start] as number] ? word(bytes, start, end) : -1;
    default:
      return -1;
  }
}

const [SPACE, DOT, N] = [0x20, 0x2e, 0x4e];
const WORDS: readonly (readonly [index: number, bytes: Buffer])[] = NULL_TOKENS.map(
  (token, index) => [index, Buffer.from(token)] as const,
).slice(5);
/** The second byte of a word, by its first one: a look that spares most cells the comparison. */
const SECOND = new Uint8Array(256);
for (const [, [first = 0, second = 0]] of WORDS) SECOND[first] = second;

/** `N.A.`, `N.D.` or `N.S.` */
function notAvailable(bytes: Uint8Array, start: number): number {
  if (bytes[start + 1] !== DOT || bytes[start + 3] !== DOT) return -1;
  return LETTERS.get(bytes[start + 2] as number) ?? -1;
}

const LETTERS = new Map([
  [0x41, 2],
  [0x44, 3],
  [0x53, 4],
]);

function word(bytes: Uint8Array, start: number, end: number): number {
  const found = WORDS.find(
    ([, text]) => text.length === end - start && text.every((byte, i) => byte === bytes[start + i]),
  );
  return found?.[0] ?? -1;
}
